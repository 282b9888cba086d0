"""When the key points of an action happen."""
