"""Table 2, direct regression: from the query alone, without a reference."""

_base_ = "../skilldiff_synthetic_dives.py"

model = dict(alignment=None, differential=False, segments=1)
