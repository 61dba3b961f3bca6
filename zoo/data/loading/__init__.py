"""From a dataset to batches.

* ``loader``: batches, epoch by epoch, for training.
* ``decoding``, ``worker``: many images decoded at once, in threads or processes.
* ``shared_headers``: small JPEGs with equal headers, decoded faster.
"""
