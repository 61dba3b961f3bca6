"""Datasets, the loader that feeds a network from them, and augmentation. Nothing here imports a framework."""
