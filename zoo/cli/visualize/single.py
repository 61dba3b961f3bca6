"""The one image that an argument stands for."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from zoo.core.errors import UsageError

if TYPE_CHECKING:
    from zoo.images.source import Source


def one_source(text: str, offline: bool | None) -> Source:
    """Find an image: a file, an address, a moment of a video, or a folder or a pattern of one image.

    Raises:
        UsageError: there are several.
    """
    from zoo.images.discovery import find

    found = list(itertools.islice(find([text], offline=offline), 2))
    if len(found) > 1:
        raise UsageError(f"{text} is more than one image; name one of them.")
    return found[0]
