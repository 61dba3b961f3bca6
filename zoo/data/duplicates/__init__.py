"""Duplicate images in a dataset: ``identical`` files, and ``near_duplicates`` by perceptual hashes and thumbnails."""
