"""The kit that reports are made of: ``html`` for pages, ``plots`` for PNG images.

Both draw the same data: ``training_series`` (curves), ``confusion_cells`` (confusion matrix), on ``scales``, with
``numbers`` as text.
"""
