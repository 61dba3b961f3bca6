"""Addresses that weights are downloaded from."""

from __future__ import annotations

import os

from zoo.core.errors import UsageError
from zoo.core.spec import WeightFile
from zoo.pretrained.sources.source import Source


def _mirrors(file: WeightFile) -> list[str]:
    """The file at each address of ``$ZOO_WEIGHTS_MIRROR``, which are separated by spaces.

    Raises:
        UsageError: an address is not HTTP.
    """
    addresses = os.environ.get("ZOO_WEIGHTS_MIRROR", "").split()
    for address in addresses:
        if not address.startswith(("http://", "https://")):
            raise UsageError(f"ZOO_WEIGHTS_MIRROR takes addresses that begin with http:// or https://, not {address}.")
    return [f"{address.rstrip('/')}/{file.file}" for address in addresses]


MIRRORS = Source("mirror", urls=_mirrors)

#: Where a file was published.
OFFICIAL = Source("official", urls=lambda file: [file.url] if file.url else [])
