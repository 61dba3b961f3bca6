"""Vectors that are near each other: the nearest to a query, and all pairs that are alike."""
