"""What a file of vectors looks like: a map of its pictures, and the groups that they fall into.

>>> from zoo import mapping
>>> mapping.write(mapping.make("features.h5"), "map.html")
>>> mapping.cluster("features.h5").summary()
"""

from zoo.mapping.clusters import Cluster, Clusters
from zoo.mapping.clusters import make as cluster
from zoo.mapping.page import Written, write
from zoo.mapping.projection import Map, make

__all__ = ["Cluster", "Clusters", "Map", "Written", "cluster", "make", "write"]
