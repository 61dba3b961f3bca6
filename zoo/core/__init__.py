"""What every room may use, without any knowledge of images or networks.

``errors`` with their exit status, ``spec`` (the description of a network), ``output`` (rows as table, JSON or CSV),
``atomic`` files, ``artifacts`` in the cache, ``paths``, ``disk``, ``hardware``, ``groups``, ``suggestions``.
"""
