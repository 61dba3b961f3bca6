"""Datasets, from folders to batches.

* ``dataset``: reads a dataset for training, evaluation or a check; ``split`` divides it.
* ``sources/``: what datasets look like on disk; ``idx`` is the file format of MNIST.
* ``checks/``, ``duplicates/``: what is wrong with a dataset, and which images are in it twice.
* ``loading/``, ``augment/``: from a dataset to batches, with random changes.
"""
