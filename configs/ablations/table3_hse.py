"""Table III, HSE: the hierarchical skeletal encoder alone."""

_base_ = "../finediving.py"

model = dict(dynamic=None, static=None)
