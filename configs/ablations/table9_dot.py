"""Table IX: attention maps multiplied."""

_base_ = "../finediving.py"

model = dict(fusion=dict(kind="dot"))
