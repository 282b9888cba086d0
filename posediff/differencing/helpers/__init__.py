"""Models that help where they are there: language, vision-language, image-text."""
