"""Table IV, H2: the outer limbs alone."""

_base_ = "../finediving.py"

model = dict(skeletal=dict(levels=(2,)))
