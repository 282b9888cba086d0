"""Table 3, I3D + GART: the score itself is regressed, by the tree."""

_base_ = "../core_mtl_aqa.py"

model = dict(contrastive=False)
