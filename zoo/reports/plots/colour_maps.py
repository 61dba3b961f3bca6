"""Colour maps: sequential for values from 0, diverging and grey for values with a sign."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

#: Inferno by Smith and van der Walt (CC0), at 18 places: perceptually uniform, for colour-blind readers and in grey
#: print too. Matplotlib has it as well, but takes a second to import.
_INFERNO = (
    *("000004", "0a0722", "1e0c45", "380962", "510e6c", "69166e", "801f6c", "982766", "b0315b"),
    *("c63d4d", "d94d3d", "e9612b", "f47918", "fa9407", "fcb014", "f8cd37", "f2ea69", "fcffa4"),
)
#: Blue and vermillion of Okabe and Ito on both sides of white, equally dark at the ends.
_DIVERGING = (
    *("00304d", "00568a", "0072b2", "5ba3d0", "b3d4ea", "ffffff"),
    *("fbd0b0", "ef9656", "d55e00", "9c4400", "5c2800"),
)


def sequential(values: np.ndarray) -> np.ndarray:
    """Black for 0, then violet, red and orange, pale yellow for 1.

    Args:
        values: float of any shape; clipped to 0-1.

    Returns:
        uint8 (…, 3), RGB.
    """
    return _looked_up(_SEQUENTIAL_TABLE, values)


def diverging(values: np.ndarray) -> np.ndarray:
    """White for 0, blue for negative and orange for positive values.

    Args:
        values: float of any shape; clipped to -1 to 1.

    Returns:
        uint8 (…, 3), RGB.
    """
    return _looked_up(_DIVERGING_TABLE, (np.asarray(values, "float32") + 1) / 2)


def shades(values: np.ndarray) -> np.ndarray:
    """Values from -1 to 1 as grey levels: black, middle grey for 0, white; uint8 of the same shape."""
    return np.round(255 * (0.5 + 0.5 * values)).astype(np.uint8)


def _looked_up(table: np.ndarray, values: np.ndarray) -> np.ndarray:
    indices = np.rint(np.clip(np.nan_to_num(values), 0, 1) * (len(table) - 1)).astype(np.intp)
    found: np.ndarray = table[indices]
    return found


def _table(anchors: Sequence[str]) -> np.ndarray:
    """Colours interpolated between the given ones: uint8 (255, 3), an odd number, so that one is in the middle."""
    known = np.array([[int(anchor[start : start + 2], 16) for start in (0, 2, 4)] for anchor in anchors], "float64")
    places, steps = np.linspace(0, 1, len(known)), np.linspace(0, 1, 255)
    between = np.stack([np.interp(steps, places, channel) for channel in known.T], axis=1)
    return np.array(np.rint(between), np.uint8)


_SEQUENTIAL_TABLE, _DIVERGING_TABLE = _table(_INFERNO), _table(_DIVERGING)
