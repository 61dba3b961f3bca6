"""From images to outputs, in order and in bounded memory.

- ``classify``: top-k classes of images and videos; ``video`` combines the predictions for frames
- ``features``: feature vectors of images in memory; ``feature_file`` writes them to a file
- ``loaded_model``: what both share: a network, its labels and its engine
- ``pipeline``: decoding in threads beside the engine
- ``temperature``: softmax, logits and temperature scaling; ``calibration_set``: a random sample of images for int8
"""
