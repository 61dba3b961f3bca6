"""Whether a file was made as it is asked for now, in a sentence where it was not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.core.errors import UsageError
from zoo.vectors.column import Column

#: Characters of a value that an error repeats.
_SHORT = 40
_REMEDY = "name another file, or --overwrite"


def compare(target: Path, made: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """See that a file was made as is asked for.

    Raises:
        UsageError: it was not, or does not say.
    """
    if not made:
        raise UsageError(f"{target} does not say what it was made with; {_REMEDY}.")
    for key, was, now in differences(made, asked):
        if key not in made:
            raise UsageError(f"{target} does not say with which {key.replace('_', ' ')} it was made; {_REMEDY}.")
        name, texts = key.replace("_", " "), [_shown(value) for value in (was, now)]
        if max(map(len, texts)) > _SHORT:
            raise UsageError(f"{target} was made with another {name}; {_REMEDY}.")
        raise UsageError(f"{target} was made with {name} {texts[0]} and not {texts[1]}; {_REMEDY}.")


def compare_columns(target: Path, made: Sequence[Column], asked: Sequence[Column]) -> None:
    """See that a file has these columns.

    Raises:
        UsageError: it has others.
    """
    known, given = ([column.as_dict() for column in columns] for columns in (made, asked))
    if _plain(known) != _plain(given):
        raise UsageError(f"{target} was made with {_listed(made)} and not with {_listed(asked)}; {_REMEDY}.")


def differences(made: Mapping[str, Any], asked: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Where two descriptions differ, in the order of the second; the version of zoo alone is no difference."""
    made, asked = _plain(dict(made)), _plain(dict(asked))
    for key in [*asked, *(key for key in made if key not in asked)]:
        if key != "zoo_version" and (key not in made or key not in asked or made[key] != asked[key]):
            yield key, made.get(key), asked.get(key)


def _shown(value: Any) -> str:
    """A value as a sentence has it."""
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value in (None, "") else str(value)


def _plain(values: Any) -> Any:
    """Values as JSON gives them back: lists for tuples."""
    return json.loads(json.dumps(values))


def _listed(columns: Sequence[Column]) -> str:
    """``features of 7 × 7 × 512 (float32)``."""
    return ", ".join(f"{column.name} of {' × '.join(map(str, column.shape))} ({column.dtype})" for column in columns)
