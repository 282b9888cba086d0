"""Table 2, any performance of the action as reference, not an expert's."""

_base_ = "../skilldiff_synthetic_dives.py"

data = dict(exemplars=dict(choice="random"))
