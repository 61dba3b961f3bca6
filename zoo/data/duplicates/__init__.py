"""Duplicate images in a dataset.

* ``identical``: files with the same bytes.
* ``near_duplicates``: images that look the same, by ``phash``, perceptual hashes, and thumbnails.
"""
