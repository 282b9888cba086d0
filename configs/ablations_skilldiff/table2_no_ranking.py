"""Table 2, without ranking loss."""

_base_ = "../skilldiff_synthetic_dives.py"

model = dict(loss=dict(ranking=0.0))
