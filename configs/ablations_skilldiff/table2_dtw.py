"""Table 2, + DTW alignment: from the features of the query and of the aligned reference."""

_base_ = "../skilldiff_synthetic_dives.py"

model = dict(differential=False, segments=1)
