"""Frozen: the sentences of zoo 0.1 in feature files and cache entries, by which such files are recognised."""

from __future__ import annotations

from zoo.core.spec import Preprocessing, Resize

#: Builders that had another name.
BUILDERS = {"zoo.models.from_yaml:build": "zoo.declarative.build:build"}


def preprocessing_sentence(preprocessing: Preprocessing) -> str:
    """What zoo 0.1 stored for ``preprocessing``."""
    if preprocessing.identity:
        return "pixels go in as they are, RGB 0-255; whatever scaling there is belongs to the network"
    first = {"rgb": "channels stay RGB", "bgr": "RGB is reordered to BGR", "grey": "RGB becomes one grey channel"}
    parts = [first[preprocessing.order]]
    if any(preprocessing.mean):
        parts.append(f"minus {_numbers(preprocessing.mean)}")
    if any(value != 1.0 for value in preprocessing.std):
        parts.append(f"divided by {_numbers(preprocessing.std)}")
    return ", ".join(parts)


def resize_sentence(resize: Resize) -> str:
    """What zoo 0.1 stored for ``resize``."""
    size = f"{resize.width}×{resize.height}"
    if resize.policy == "crop":
        part = "" if resize.fraction == 1 else f", times {resize.fraction:g},"
        how = f"the largest central window of the shape {size}{part} is cut out and scaled to {size}"
    elif resize.policy == "pad":
        how = f"the picture is scaled to fit {size} and centred on black"
    else:
        how = f"the whole picture is squashed to {size}"
    return f"{how} ({resize.interpolation}, antialiased)"


def _numbers(values: tuple[float, ...]) -> str:
    texts = [f"{value:g}" if value == round(value, 3) else f"{value:.4f}" for value in values]
    return texts[0] if len(set(texts)) == 1 else " ".join(texts)
