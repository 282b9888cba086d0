"""The language of measures: parsed, checked, and read off a body."""
