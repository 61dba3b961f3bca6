"""Layers that Keras lacks, written with ``keras.ops`` for every backend. Saved files name these modules."""
