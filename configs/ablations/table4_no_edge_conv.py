"""Table IV, without EdgeConv."""

_base_ = "../finediving.py"

model = dict(skeletal=dict(edge_conv=False))
