"""Writing a file of vectors so that it can be interrupted, resumed and updated.

* :mod:`~zoo.vectors.journal.journal`: :class:`Journal`.
* :mod:`~zoo.vectors.journal.log`: the rows done so far, on disk.
* :mod:`~zoo.vectors.journal.path_matcher`: which inputs are done.
* :mod:`~zoo.vectors.journal.existing_file`: the file that is updated.
* :mod:`~zoo.vectors.journal.merge`: its rows together with those of the log.
"""
