"""From a name to a :class:`~zoo.core.spec.ModelSpec`, without a framework.

- ``registry.py``: names, aliases, plugins; ``files.py`` and ``declarative/`` read the networks that ship with zoo.
- ``default_model.py``: the network that runs if none is named. ``model_card.py``: rows of ``zoo list`` and ``info``.
- ``labels.py``: class names. ``presets.py``: preprocessing by name. ``inventory.py``: the content of the caches.
"""
