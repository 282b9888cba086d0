"""Table III, DVE: the dynamic visual encoder alone."""

_base_ = "../finediving.py"

model = dict(skeletal=None, static=None)
data = dict(source=dict(poses=""), inputs=dict(poses=False))
