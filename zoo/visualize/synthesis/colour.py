"""Decorrelated colours."""

from __future__ import annotations

import numpy as np

# Principal components of the colours of ImageNet's training images, on the scale 0-1: eigenvalues and, as columns,
# eigenvectors of the covariance of red, green and blue. Krizhevsky et al., "ImageNet Classification with Deep
# Convolutional Neural Networks", 2012, section 4.1; the numbers as Facebook's ResNet training published them in 2016.
_EIGENVALUES = np.array([0.2175, 0.0188, 0.0045])
_EIGENVECTORS = np.array(
    [
        [-0.5675, 0.7192, 0.4009],
        [-0.5808, -0.0045, -0.8140],
        [-0.5836, -0.6948, 0.4203],
    ]
)


def mixing() -> np.ndarray:
    """The matrix from decorrelated channels to red, green and blue: float64 (3, 3).

    Its columns (brightness, orange to blue, green to magenta) are the principal components. A gradient step passes the
    matrix twice, so their lengths are the square roots of those in Olah et al., "Feature Visualization", 2017, which
    are proportional to the standard deviations of colours; the longest is 1.
    """
    spread = np.sqrt(_EIGENVALUES)
    scaled: np.ndarray = _EIGENVECTORS * np.sqrt(spread / spread.max())
    return scaled
