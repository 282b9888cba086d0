"""CoRe + MLP, which the paper names beside table 3: differences are regressed by three layers."""

_base_ = "../core_mtl_aqa.py"

model = dict(head="mlp")
