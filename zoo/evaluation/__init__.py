"""How good a model is on images with known classes.

- ``evaluate``: :func:`zoo.evaluate`. ``result``: its result. ``files``: the result in a folder.
- ``scores``: a model's scores for a dataset. ``label_mapping``: which output each class of the dataset is.
- ``metrics``: one file per metric, and the table of all. ``calibration``: temperature scaling. ``abstention``:
  thresholds.
- ``compare``: :func:`zoo.compare`. ``measure``: one model, in a process of its own.
"""
