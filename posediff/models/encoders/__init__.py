"""Encoders: skeletons and pictures become features over time."""
