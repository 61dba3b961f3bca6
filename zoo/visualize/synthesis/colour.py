"""Colours whose channels do not depend on one another, as those of photographs do."""

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
    """How channels that do not depend on one another become red, green and blue that do.

    The columns are the principal components. In Olah et al., "Feature Visualization", 2017, their lengths are in
    proportion to how far the colours of photographs spread along them. Here a step goes through the matrix twice, with
    the gradient and back to pixels, so that the lengths are the roots of that; the longest, which is brightness, is 1.

    Returns:
        float64 (3, 3): a row for each of red, green and blue; a column for each of brightness, orange to blue, and
        green to magenta.
    """
    spread = np.sqrt(_EIGENVALUES)
    scaled: np.ndarray = _EIGENVECTORS * np.sqrt(spread / spread.max())
    return scaled
