"""Foundations without any knowledge of images or networks.

``errors``, ``spec`` (the description of a network), ``output`` (rows as table, JSON or CSV), ``atomic`` files,
``artifacts`` in the cache, ``paths``, ``hardware``, ``groups``, ``suggestions``.
"""
