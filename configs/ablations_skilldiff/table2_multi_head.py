"""Table 2, + four heads; with segments, the next row is the full model."""

_base_ = "../skilldiff_synthetic_dives.py"

model = dict(segments=1)
