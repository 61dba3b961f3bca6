"""Which output of a model each class of a dataset is, by its name."""

from __future__ import annotations

import csv
import logging
import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from zoo.catalog.labels import Label
from zoo.core.errors import UsageError
from zoo.core.suggestions import nearest

log = logging.getLogger(__name__)

#: A WordNet id, as ImageNet's folders are called; Stanford Dogs appends the name: ``n02085620-Chihuahua``.
_WORDNET_ID = re.compile(r"(n\d{8})(?![0-9A-Za-z])")
#: Unknown classes that an error names.
_NAMED = 3


def match(
    classes: Sequence[str],
    outputs: Sequence[Label],
    *,
    mapping: Mapping[str, str] | None = None,
    dataset: str = "the dataset",
    model: str = "the model",
    advice: str = "rename the folders, or give --labels, a table with the columns folder and label",
) -> np.ndarray:
    """The output of each class of a dataset.

    A class is an output if it has its name; or its WordNet id; or its name but for case, the encoding of accents, and
    characters between the words; or, if no output's name is a number, its index. Several classes may be one output.

    Args:
        classes: names in the dataset.
        outputs: the model's classes, in order.
        mapping: the model's name, WordNet id or index of classes with other names.
        dataset: the dataset in errors.
        model: the model in errors.
        advice: what to do about an unknown class.

    Returns:
        int64 (len(classes),).

    Raises:
        UsageError: a class is no output, or may be two; with the nearest names.
    """
    # In this order.
    names: tuple[defaultdict[str, list[int]], ...] = tuple(defaultdict(list) for _ in range(3))
    for label in outputs:
        for keys, key in zip(names, (label.name, label.wordnet_id, _loosely(label.name)), strict=True):
            if key:
                keys[key].append(label.index)
    # The folder 0 of a network for digits is the digit, not an index.
    indices = 0 if any(label.name.isdecimal() for label in outputs) else len(outputs)
    found: list[int] = []
    unknown: list[str] = []
    for name in classes:
        meant = (mapping or {}).get(name, name)
        wordnet = _WORDNET_ID.match(meant)
        keys_of = (meant, wordnet[1] if wordnet else "", _loosely(meant))
        candidates = next((keys[key] for keys, key in zip(names, keys_of, strict=True) if key in keys), [])
        # Python refuses to read numbers of thousands of digits.
        if not candidates and meant.isdecimal() and len(meant) < 10 and int(meant) < indices:
            candidates = [int(meant)]
        if len(candidates) > 1:
            both = (f"{index} ({outputs[index].wordnet_id or outputs[index].name})" for index in candidates)
            raise UsageError(
                f"The class '{meant}' of {dataset} may be {len(candidates)} of {model}: {' and '.join(both)}; "
                "give its index or WordNet id, as the folder's name or in --labels."
            )
        found += candidates
        unknown += [] if candidates else [meant]
    if unknown:
        quoted = ", ".join(f"'{name}'" for name in unknown[:_NAMED])
        more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
        spellings = {_loosely(label.name): label.name for label in outputs}
        near = dict.fromkeys(
            name
            for wanted in unknown[:_NAMED]
            for name in nearest(_loosely(wanted), spellings, count=2, cutoff=0.5, shown=spellings)
        )
        raise UsageError(
            f"{dataset} has {'the class' if len(unknown) == 1 else 'classes'} {quoted}{more}, "
            f"which {model} does not know{'; the nearest: ' + ', '.join(near) if near else ''}; {advice}."
        )
    numbers = [(name, outputs[index].name) for name, index in zip(classes, found, strict=True) if name.isdecimal()]
    if numbers and all(number != name for number, name in numbers):
        number, name = numbers[0]
        log.info("numeric classes of %s are used as output indices of %s: %s is %s", dataset, model, number, name)
    return np.array(found, np.int64)


def by_order(classes: Sequence[str], count: int, *, dataset: str, model: str) -> np.ndarray:
    """The output of each class, for a model whose outputs have no names.

    Numeric classes are the outputs of these indices. Otherwise the first class is output 0, and so on, as
    ``keras.utils.image_dataset_from_directory`` numbers them.

    Args:
        classes: names in the dataset, in order.
        count: the number of outputs.
        dataset: the dataset in errors.
        model: the model in errors.

    Raises:
        UsageError: the numbers of classes and outputs differ.
    """
    if all(name.isdecimal() and len(name) < 10 and int(name) < count for name in classes):
        return np.array([int(name) for name in classes], np.int64)
    if len(classes) != count:
        raise UsageError(
            f"{model} has {count} outputs without names, and {dataset} has {len(classes)} classes; name the folders "
            f"after the outputs' indices, 0 to {count - 1}."
        )
    return np.arange(count, dtype=np.int64)


def unique_names(outputs: Sequence[Label]) -> tuple[str, ...]:
    """Distinct names: ImageNet's two cranes get their WordNet id, others their index."""
    counts = Counter(label.name for label in outputs)
    return tuple(
        label.name if counts[label.name] == 1 else f"{label.name} {label.wordnet_id or label.index}"
        for label in outputs
    )


def read_mapping(path: str | os.PathLike[str]) -> dict[str, str]:
    """Read a table with the columns ``folder`` and ``label``.

    Raises:
        UsageError: it cannot be read, has other columns, an empty cell, or a folder twice.
    """
    found: dict[str, str] = {}
    try:
        with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            reader = csv.DictReader(file)
            if missing := [column for column in ("folder", "label") if column not in (reader.fieldnames or ())]:
                raise UsageError(f"{path} has no column '{missing[0]}'; expected the columns folder and label.")
            for row in reader:
                folder, label = ((row[column] or "").strip() for column in ("folder", "label"))
                if not folder or not label:
                    raise UsageError(f"{path}, line {reader.line_num}: expected a folder and a label.")
                if found.setdefault(folder, label) != label:
                    raise UsageError(f"{path}, line {reader.line_num}: '{folder}' was '{found[folder]}' before.")
    except UsageError:
        raise
    except (OSError, ValueError) as error:
        why = str(getattr(error, "strerror", None) or error).lower()
        raise UsageError(f"{path} cannot be read: {why}.") from error
    except csv.Error as error:
        raise UsageError(f"{path} is not a table of comma-separated values: {error}.") from error
    return found


def _loosely(name: str) -> str:
    """A name without what people write in different ways."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\W_]+", "_", text).strip("_") or text
