"""From a dataset to batches: ``loader`` makes them, ``decoding`` reads images in threads or processes."""
