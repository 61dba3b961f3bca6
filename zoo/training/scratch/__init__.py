"""Training from scratch: :mod:`~zoo.training.scratch.train` has the functions, ``job`` what they run."""
