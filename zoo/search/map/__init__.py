"""What a file of vectors looks like: a map of its images, and the groups that they fall into.

>>> from zoo.search import map as mapping
>>> mapping.write(mapping.make("features.h5"), "map.html")
>>> mapping.cluster("features.h5").summary()
"""

from zoo.search.clusters import Cluster, Clusters
from zoo.search.clusters import make as cluster
from zoo.search.map.page import Written, write
from zoo.search.map.projection import Map, make

__all__ = ["Cluster", "Clusters", "Map", "Written", "cluster", "make", "write"]
