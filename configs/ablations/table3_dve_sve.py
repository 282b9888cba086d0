"""Table III, DVE + SVE: without the skeletal encoder."""

_base_ = "../finediving.py"

model = dict(skeletal=None)
data = dict(source=dict(poses=""), inputs=dict(poses=False))
