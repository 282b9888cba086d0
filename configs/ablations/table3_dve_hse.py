"""Table III, DVE + HSE: without the static visual encoder."""

_base_ = "../finediving.py"

model = dict(static=None)
