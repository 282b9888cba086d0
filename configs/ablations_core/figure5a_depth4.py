"""Figure 5 (a): a tree of depth 4, 16 groups."""

_base_ = "../core_mtl_aqa.py"

model = dict(depth=4)
