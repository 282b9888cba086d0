"""Who is who: from the boxes of single frames to people over time."""
