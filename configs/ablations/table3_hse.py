"""Table III, HSE: the hierarchical skeletal encoder alone."""

_base_ = "../finediving.py"

model = dict(dynamic=None, static=None)
data = dict(source=dict(images=""), inputs=dict(images=0), augment=dict(view=0.0))
