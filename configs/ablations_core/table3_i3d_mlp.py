"""Table 3, I3D + MLP: the score itself is regressed, by three layers."""

_base_ = "../core_mtl_aqa.py"

model = dict(contrastive=False, head="mlp")
