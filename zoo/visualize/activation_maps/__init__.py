"""Feature maps and kernels of layers."""
