"""Many videos: what is to be done, what is done, and the processes that do it."""
