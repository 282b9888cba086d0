"""Table III, SVE: the static visual encoder alone."""

_base_ = "../finediving.py"

model = dict(skeletal=None, dynamic=None)
data = dict(source=dict(poses=""), inputs=dict(poses=False))
