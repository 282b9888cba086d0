"""A comparison as a JSON document, a terminal table, pictures and a page."""
