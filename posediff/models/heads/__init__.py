"""Heads: features of two performances become differences of their scores."""
