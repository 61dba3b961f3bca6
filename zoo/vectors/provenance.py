"""Whether a file was made with the settings that are requested now."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.core.errors import UsageError
from zoo.vectors.column import Column

#: Longest value that an error repeats.
_SHORT = 40
_REMEDY = "name another file, or --overwrite"


def check_settings(target: Path, made: Mapping[str, Any], requested: Mapping[str, Any]) -> None:
    """Compare the attributes of a file with those requested."""
    if not made:
        raise UsageError(f"{target} does not say what it was made with; {_REMEDY}.")
    for key, was, now in differences(made, requested):
        name = key.replace("_", " ")
        if key not in made:
            raise UsageError(f"{target} does not say with which {name} it was made; {_REMEDY}.")
        texts = [_shown(value) for value in (was, now)]
        if max(map(len, texts)) > _SHORT:
            raise UsageError(f"{target} was made with another {name}; {_REMEDY}.")
        raise UsageError(f"{target} was made with {name} {texts[0]} and not {texts[1]}; {_REMEDY}.")


def check_columns(target: Path, made: Sequence[Column], requested: Sequence[Column]) -> None:
    """Compare the columns of a file with those requested."""
    known, given = (_plain([column.as_dict() for column in columns]) for columns in (made, requested))
    if known != given:
        raise UsageError(f"{target} was made with {_listed(made)} and not with {_listed(requested)}; {_REMEDY}.")


def differences(made: Mapping[str, Any], requested: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Key and both values where two descriptions differ, in the order of the second; ``zoo_version`` is ignored."""
    made, requested = _plain(dict(made)), _plain(dict(requested))
    for key in [*requested, *(key for key in made if key not in requested)]:
        if key != "zoo_version" and (key not in made or key not in requested or made[key] != requested[key]):
            yield key, made.get(key), requested.get(key)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value in (None, "") else str(value)


def _plain(values: Any) -> Any:
    """Values after a round trip through JSON: lists for tuples."""
    return json.loads(json.dumps(values))


def _listed(columns: Sequence[Column]) -> str:
    """Such as ``features of 7 × 7 × 512 (float32)``."""
    return ", ".join(f"{column.name} of {' × '.join(map(str, column.shape))} ({column.dtype})" for column in columns)
