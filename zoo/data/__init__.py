"""Datasets: reading (``dataset``, ``sources``, ``split``), ``checks``, ``duplicates``, ``augment`` and ``loading``."""
