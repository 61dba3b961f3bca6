"""Images of a dataset that are the same."""
