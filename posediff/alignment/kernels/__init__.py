"""The dynamic programmes behind alignment; all give the same numbers."""
