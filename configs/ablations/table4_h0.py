"""Table IV, H0: the torso alone."""

_base_ = "../finediving.py"

model = dict(skeletal=dict(levels=(0,)))
