"""Which of a network's outputs each class of a dataset means, by names; no framework, no images."""

from __future__ import annotations

import csv
import logging
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from zoo.catalog.labels import Label
from zoo.core.errors import UsageError, describe_os_error
from zoo.core.suggestions import nearest

log = logging.getLogger(__name__)

#: A WordNet id, as ImageNet's folders are called; Stanford Dogs has the name behind it: ``n02085620-Chihuahua``.
_WORDNET_ID = re.compile(r"(n\d{8})(?![0-9A-Za-z])")
#: Classes that a sentence names before it only counts.
_NAMED = 3


def match(
    classes: Sequence[str],
    outputs: Sequence[Label],
    *,
    mapping: Mapping[str, str] | None = None,
    dataset: str = "the dataset",
    model: str = "the network",
    advice: str = "rename the folders, or give --labels, a table with the columns folder and label",
) -> np.ndarray:
    """The output that each class of a dataset is.

    A class is an output if it has its name; or its WordNet id; or its name but for case, accents' encoding, and signs
    between the words; or, where no output's name is a number, its index. Several classes may be the same output.

    Args:
        classes: names in the dataset.
        outputs: the network's classes, in order.
        mapping: for classes that are called otherwise, the network's name, WordNet id or index.
        dataset: what the sentences call the dataset.
        model: what they call the network.
        advice: what to do about a class that the network does not know.

    Returns:
        int64 (len(classes),).

    Raises:
        UsageError: a class is none of the outputs, or may be two; the nearest names are in the sentence.
    """
    names = _Names(outputs)
    found: list[int] = []
    unknown: list[str] = []
    for name in classes:
        meant = (mapping or {}).get(name, name)
        candidates = names.find(meant)
        if len(candidates) > 1:
            both = " and ".join(_described(outputs[index]) for index in candidates)
            raise UsageError(
                f"The class '{meant}' of {dataset} may be {len(candidates)} of {model}: {both}; "
                "say which by its index or WordNet id, in the folder's name or in --labels."
            )
        if not candidates:
            unknown.append(meant)
        found += candidates
    if unknown:
        quoted = [f"'{name}'" for name in unknown[:_NAMED]]
        more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
        near = dict.fromkeys(name for wanted in unknown[:_NAMED] for name in names.near(wanted))
        nearest = f"the nearest that it has {'are' if len(near) > 1 else 'is'} {', '.join(near)}" if near else ""
        raise UsageError(
            f"{dataset} has {'the class' if len(unknown) == 1 else 'classes'} {', '.join(quoted)}{more}, "
            f"which {model} does not know{'; ' + nearest if nearest else ''}; {advice}."
        )
    numbers = [(name, outputs[index].name) for name, index in zip(classes, found, strict=True) if name.isdecimal()]
    if numbers and all(number != name for number, name in numbers):
        number, name = numbers[0]
        log.info("classes of %s that are numbers are taken for outputs of %s: %s is %s", dataset, model, number, name)
    return np.array(found, np.int64)


def by_order(classes: Sequence[str], count: int, *, dataset: str, model: str) -> np.ndarray:
    """The output that each class is, for a network whose outputs have no names.

    Classes that are all numbers are the outputs of these numbers. Otherwise the first class is output 0, and so on, as
    ``keras.utils.image_dataset_from_directory`` numbers them.

    Args:
        classes: names in the dataset, in order.
        count: outputs of the network.
        dataset: what the sentence calls the dataset.
        model: what it calls the network.

    Raises:
        UsageError: there are not as many classes as outputs.
    """
    if all(name.isdecimal() and len(name) < 10 and int(name) < count for name in classes):
        return np.array([int(name) for name in classes], np.int64)
    if len(classes) != count:
        raise UsageError(
            f"{model} has {count} outputs without names, and {dataset} {len(classes)} classes; name the folders by the "
            f"outputs' numbers, 0 to {count - 1}."
        )
    return np.arange(count, dtype=np.int64)


def unique_names(outputs: Sequence[Label]) -> tuple[str, ...]:
    """Names by which the outputs can be told apart: ImageNet's two cranes get their WordNet id, others their index."""
    counts: dict[str, int] = defaultdict(int)
    for label in outputs:
        counts[label.name] += 1
    return tuple(
        label.name if counts[label.name] == 1 else f"{label.name} {label.wordnet_id or label.index}"
        for label in outputs
    )


def read_mapping(path: str | os.PathLike[str]) -> dict[str, str]:
    """What a table with the columns ``folder`` and ``label`` says.

    Raises:
        UsageError: it cannot be read, has other columns, an empty cell, or names a folder twice.
    """
    found: dict[str, str] = {}
    try:
        with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            reader = csv.DictReader(file)
            if missing := [column for column in ("folder", "label") if column not in (reader.fieldnames or ())]:
                raise UsageError(f"{path} has no column '{missing[0]}'; expected are the columns folder and label.")
            for row in reader:
                folder, label = ((row[column] or "").strip() for column in ("folder", "label"))
                if not folder or not label:
                    raise UsageError(f"{path}, line {reader.line_num}: a folder and a label are needed.")
                if found.setdefault(folder, label) != label:
                    raise UsageError(f"{path}, line {reader.line_num}: '{folder}' was '{found[folder]}' further up.")
    except (OSError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"{path} cannot be read: {describe_os_error(error)}.") from error
    except csv.Error as error:
        raise UsageError(f"{path} is no table of comma-separated values: {error}.") from error
    return found


class _Names:
    """The outputs by everything that they may be called."""

    def __init__(self, outputs: Sequence[Label]) -> None:
        self._exact = _indexed((label.name, label.index) for label in outputs)
        self._wordnet = _indexed((label.wordnet_id, label.index) for label in outputs if label.wordnet_id)
        self._loose = _indexed((_loosely(label.name), label.index) for label in outputs)
        self._names = {_loosely(label.name): label.name for label in outputs}
        # The folder 0 of a network that tells digits apart is the digit, and no index.
        self._count = 0 if any(label.name.isdecimal() for label in outputs) else len(outputs)

    def find(self, text: str) -> list[int]:
        """The outputs that a text may mean; one, if all is well."""
        wordnet = _WORDNET_ID.match(text)
        found = (
            self._exact.get(text)
            or (self._wordnet.get(wordnet[1]) if wordnet else None)
            or self._loose.get(_loosely(text))
        )
        if found:
            return found
        # No network has a billion outputs, and Python refuses numbers of thousands of digits.
        number = int(text) if text.isdecimal() and len(text) < 10 else self._count
        return [number] if number < self._count else []

    def near(self, text: str) -> list[str]:
        """The names that are most like a text, at most two."""
        return nearest(_loosely(text), self._names, count=2, cutoff=0.5, shown=self._names)


def _indexed(pairs: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for key, index in pairs:
        found[key].append(index)
    return dict(found)


def _loosely(name: str) -> str:
    """A name without what people write in different ways."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\W_]+", "_", text).strip("_") or text


def _described(label: Label) -> str:
    return f"{label.index} ({label.wordnet_id or label.name})"
