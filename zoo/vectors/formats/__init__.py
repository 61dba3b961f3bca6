"""File formats of feature vectors."""
