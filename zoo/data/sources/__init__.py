"""Reading datasets from disk, whatever their layout.

* ``base``: what a source is, and what it returns.
* ``registry``: the table of sources, and which of them a path belongs to.
* ``class_folders``, ``table``, ``idx_folder``: one file for each source.
"""
