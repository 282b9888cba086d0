"""Table 2, + differential encoder with a single head."""

_base_ = "../skilldiff_synthetic_dives.py"

model = dict(heads=1, segments=1)
