"""Feature vectors on their way to a file."""
