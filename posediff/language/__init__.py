"""Words for what a comparison found."""
