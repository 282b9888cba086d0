"""Training and evaluation: strict configurations, mmengine's Runner, metrics, predictions."""
