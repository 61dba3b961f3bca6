"""Feature maps of images (``feature_maps``, drawn by ``feature_sheet``) and kernels (``kernels``, ``kernel_sheet``)."""
