"""Files of vectors and of images, as the tests need them."""

from __future__ import annotations

import os

import h5py
import numpy as np
from PIL import Image


def write_vectors(path, vectors, names, **about):
    """A file of vectors as somebody else might have written it."""
    with h5py.File(path, "w") as file:
        file["features"] = vectors
        data = np.array([os.fsencode(name) for name in names], dtype=object)
        file.create_dataset("paths", data=data, dtype=h5py.string_dtype())
        file.attrs.update(about)
    return path


def blobs(sizes=(30, 20, 10), dim=12, apart=6.0, seed=0):
    """Points around as many middles as there are sizes: float32 (n, dim) and the number of the middle of each."""
    numbers = np.random.default_rng(seed)
    middles = numbers.normal(size=(len(sizes), dim)) * apart
    which = np.repeat(np.arange(len(sizes)), sizes)
    return (middles[which] + numbers.normal(size=(len(which), dim))).astype(np.float32), which


def images(folder, which, side=20):
    """An image for each number, in a folder of its class; paths in that order."""
    folder.mkdir(exist_ok=True)
    paths = []
    for index, number in enumerate(which):
        place = folder / f"class{number}"
        place.mkdir(exist_ok=True)
        paths.append(str(place / f"{index}.png"))
        Image.new("RGB", (side, side + 6), (40 * int(number) % 256, index % 256, 90)).save(paths[-1])
    return paths
