"""Differences between two performances, as answers to questions that a coach would ask."""
