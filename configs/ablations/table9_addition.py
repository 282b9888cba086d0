"""Table IX: attention maps added, without a learnt weight."""

_base_ = "../finediving.py"

model = dict(fusion=dict(kind="addition"))
