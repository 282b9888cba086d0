"""Table IV, H0 + H1: without the outer limbs."""

_base_ = "../finediving.py"

model = dict(skeletal=dict(levels=(0, 1)))
