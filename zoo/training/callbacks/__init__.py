"""Callbacks: what watches a training and writes the files of its run folder.

- :mod:`~zoo.training.callbacks.base`: the protocol, :class:`~zoo.training.callbacks.base.Callback`;
- :mod:`~zoo.training.callbacks.built_in`: the table of those that every training has;
- one file for each of these.
"""
