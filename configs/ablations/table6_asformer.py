"""Table VI: stages found by ASFormer."""

_base_ = "../finediving.py"

model = dict(segmentation=dict(kind="asformer", layers=6))
