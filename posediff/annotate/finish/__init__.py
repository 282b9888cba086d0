"""From raw estimates to a track that can be used, and what is to be said of it."""
