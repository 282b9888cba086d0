"""Statements about two performances: from taxonomies, from free words, for any movement."""
