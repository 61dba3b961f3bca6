"""Vectors of images on disk: written so that nothing is lost, read without being in memory."""

from zoo.vectors.column import Column
from zoo.vectors.formats.table import open_vectors
from zoo.vectors.journal.journal import Journal, Mode
from zoo.vectors.journal.written import Written
from zoo.vectors.vectors import Vectors

__all__ = ["Column", "Journal", "Mode", "Vectors", "Written", "open_vectors"]
