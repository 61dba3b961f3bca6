"""Perceptual hash: signs, about their median, of the 8×8 lowest frequencies of the DCT of a grey 32×32 image.

Zauner, Implementation and benchmarking of perceptual image hash functions, 2010, chapter 3.2.1; here without the
constant frequency. A mirror image has every second column's sign changed, so its hash costs nothing.
"""

from __future__ import annotations

import numpy as np

from zoo.core.spec import GREY

#: Pixels a side of what is hashed, and of the thumbnails that are compared in detail.
SIDE, THUMBNAIL = 32, 16
#: Lowest frequencies along each axis, and squares a side of a sketch.
_FREQUENCIES, _SQUARES = 8, 4
#: Images that are transformed together, which bounds the memory.
_CHUNK = 2048


def hashes(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hashes, uint64 (n,), of images, uint8 (n, 32, 32[, 3]), and of their mirror images."""
    basis = _basis()
    plain, mirrored = np.empty(len(pixels), np.uint64), np.empty(len(pixels), np.uint64)
    signs = np.where(np.arange(_FREQUENCIES) % 2, -1, 1).astype(np.float32)
    for begin in range(0, len(pixels), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        grey = pixels[part].astype(np.float32)
        if grey.ndim == 4:
            grey = grey @ np.array(GREY, np.float32)
        spectrum = basis @ grey @ basis.T
        plain[part] = _packed(spectrum)
        mirrored[part] = _packed(spectrum * signs)
    return plain, mirrored


def thumbnails(pixels: np.ndarray) -> np.ndarray:
    """Images at half the size of what is hashed, each pixel the mean of four: uint8 (n, 16, 16, …)."""
    summed = pixels[:, 0::2].astype(np.uint16) + pixels[:, 1::2]
    return np.asarray((summed[:, :, 0::2] + summed[:, :, 1::2] + 2) // 4, np.uint8)


def distance(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Hamming distance: in how many bits hashes, uint64 of shapes that broadcast, differ; uint8."""
    values = one ^ other
    if hasattr(np, "bitwise_count"):
        return np.asarray(np.bitwise_count(values))
    # NumPy 1 has no such function: sums of neighbouring bits, pairs, nibbles and bytes, all at once.
    values = values - ((values >> 1) & 0x5555555555555555)
    values = (values & 0x3333333333333333) + ((values >> 2) & 0x3333333333333333)
    values = (values + (values >> 4)) & 0x0F0F0F0F0F0F0F0F
    return np.asarray((values * 0x0101010101010101) >> 56, np.uint8)


def contrast(thumbs: np.ndarray) -> np.ndarray:
    """RMS contrast of thumbnails, uint8 (n, 16, 16[, 3]), about their mean colour: float32 (n,), in grey levels."""
    spread = np.empty(len(thumbs), np.float32)
    for begin in range(0, len(thumbs), _CHUNK):
        values = _centred(thumbs[begin : begin + _CHUNK])
        spread[begin : begin + _CHUNK] = np.sqrt((values**2).mean(axis=(1, 2)))
    return spread


def difference(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Residual of thumbnails fitted by a factor and a constant per channel: share of the variation, and largest."""
    first, second = _centred(one), _centred(other)
    spread = np.maximum((first**2).sum(axis=(1, 2)), 1e-6)
    factor = (first * second).sum(axis=(1, 2)) / np.maximum((second**2).sum(axis=(1, 2)), 1e-6)
    left = first - np.maximum(factor, 0)[:, None, None] * second
    count = first.shape[1] * first.shape[2]
    scale = np.sqrt(spread / count)
    return np.sqrt((left**2).sum(axis=(1, 2)) / spread), np.abs(left).max(axis=(1, 2)) / scale


def sketches(thumbs: np.ndarray) -> np.ndarray:
    """Sixteen numbers a thumbnail, whose distance is a lower bound of :func:`difference`: float32 (n, 4, 4).

    A projection of the normalised image brings points closer (Agrawal, Faloutsos and Swami, 1993).
    """
    drawn = np.empty((len(thumbs), _SQUARES, _SQUARES), np.float32)
    side = THUMBNAIL // _SQUARES
    for begin in range(0, len(thumbs), _CHUNK):
        values = _centred(thumbs[begin : begin + _CHUNK])
        length = np.maximum(np.sqrt((values**2).sum(axis=(1, 2))), 1e-6) * side * np.sqrt(values.shape[2])
        squares = values.sum(axis=2).reshape(-1, _SQUARES, side, _SQUARES, side).sum(axis=(2, 4))
        drawn[begin : begin + _CHUNK] = squares / length[:, None, None]
    return drawn


def may_differ_less(one: np.ndarray, other: np.ndarray, limit: float) -> np.ndarray:
    """Which pairs of sketches may have a :func:`difference` of ``limit`` or less, bool (pairs,); others have not."""
    # Points whose angle has the sine ``limit``, as far apart as the chord between them; and some room for rounding.
    chord = 2 - 2 * np.sqrt(1 - limit**2) + 1e-5
    apart = (one - other).reshape(len(one), -1)
    return np.asarray(np.einsum("pk,pk->p", apart, apart) <= chord)


def _centred(thumbs: np.ndarray) -> np.ndarray:
    """float32 (n, pixels, channels), each channel about its mean."""
    channels = thumbs.shape[3] if thumbs.ndim == 4 else 1
    values = thumbs.reshape(len(thumbs), THUMBNAIL * THUMBNAIL, channels).astype(np.float32)
    return np.asarray(values - values.mean(axis=1, keepdims=True))


def _basis() -> np.ndarray:
    """The lowest rows of the orthonormal DCT-II: float32 (8, 32)."""
    row, column = np.arange(_FREQUENCIES)[:, None], np.arange(SIDE)[None]
    basis = np.sqrt(2 / SIDE) * np.cos(np.pi * row * (2 * column + 1) / (2 * SIDE))
    basis[0] /= np.sqrt(2)
    return np.asarray(basis, np.float32)


def _packed(spectrum: np.ndarray) -> np.ndarray:
    """Bits of what is above the median: uint64 (n,) of float32 (n, 8, 8)."""
    values = spectrum.reshape(len(spectrum), -1)[:, 1:]
    above = values > np.median(values, axis=1, keepdims=True)
    packed = np.packbits(np.pad(above, ((0, 0), (1, 0))), axis=1)
    return np.asarray(packed.view(">u8")[:, 0], np.uint64)
