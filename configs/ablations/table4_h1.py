"""Table IV, H1: the inner limbs alone."""

_base_ = "../finediving.py"

model = dict(skeletal=dict(levels=(1,)))
