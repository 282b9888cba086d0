"""Table 2, without contrastive regularisation."""

_base_ = "../skilldiff_synthetic_dives.py"

model = dict(loss=dict(contrast=0.0))
