"""What is wrong with a dataset.

* ``check``: runs all checks and makes the report.
* ``findings``: the table of the kinds of findings, and the report.
* ``scan``: opens each image once; ``classes``: checks of class names and counts.
"""
