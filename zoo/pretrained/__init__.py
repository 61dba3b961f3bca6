"""Weight files, without a framework.

- ``weights.py`` finds and downloads the weights of a network; ``sources/`` lists where from.
- ``download.py`` and ``http.py``: resumable downloads. ``digests.py``: digests and their records.
- ``layout.py``: the layers in a weight file; ``arrays.py`` and ``array_pickle.py`` read NumPy's.
- ``keras_file.py``: trained networks in ``.keras`` files.
"""
