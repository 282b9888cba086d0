"""Table VIII: InfoNCE in place of the stage-wise contrastive loss."""

_base_ = "../finediving.py"

model = dict(contrast=dict(kind="infonce"))
