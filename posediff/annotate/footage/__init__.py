"""The pictures of a video: opened, numbered, decoded ahead of whoever needs them."""
