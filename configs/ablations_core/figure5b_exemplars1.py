"""Figure 5 (b): one exemplar votes."""

_base_ = "../core_mtl_aqa.py"

data = dict(exemplars=dict(count=1))
