"""Scored clips: published datasets, anyone's folders and generated ones, and what networks are fed with."""
