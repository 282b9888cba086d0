"""Figure 5 (b): 5 exemplars vote."""

_base_ = "../core_mtl_aqa.py"

data = dict(exemplars=dict(count=5))
