"""Networks: their files found, checked and read."""
