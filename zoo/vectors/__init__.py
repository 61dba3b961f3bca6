"""Vectors of pictures on disk: written so that nothing is lost, read without being in memory."""

from zoo.vectors.column import Column
from zoo.vectors.formats import open_vectors
from zoo.vectors.journal import Journal, Mode
from zoo.vectors.vectors import Vectors
from zoo.vectors.written import Written

__all__ = ["Column", "Journal", "Mode", "Vectors", "Written", "open_vectors"]
