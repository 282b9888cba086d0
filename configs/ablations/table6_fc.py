"""Table VI: stages found by fully connected layers."""

_base_ = "../finediving.py"

model = dict(segmentation=dict(kind="fc"))
