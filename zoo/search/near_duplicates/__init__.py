"""Near-duplicate images, found by the cosine of their vectors.

* :mod:`~zoo.search.near_duplicates.find`: :func:`find_duplicates`, the groups of a file of vectors.
* :mod:`~zoo.search.near_duplicates.similar_pairs`: all pairs above a threshold, with
  :mod:`~zoo.search.near_duplicates.cosine_bound` to skip most of them.
* :mod:`~zoo.search.near_duplicates.leader_clusters`: splits a group that is only connected by a chain.
* :mod:`~zoo.search.near_duplicates.image_files`: which of the files to keep.
"""

from zoo.search.near_duplicates.find import THRESHOLD, Duplicates, Group, find_duplicates

__all__ = ["THRESHOLD", "Duplicates", "Group", "find_duplicates"]
