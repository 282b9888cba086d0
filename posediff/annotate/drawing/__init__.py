"""Skeletons drawn on pictures: overlays, contact sheets, and images for correction."""
