"""Which inputs are done: by their place as long as nothing has changed, by their names from there on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


class Matcher:
    """Finds names in a list of names, each at most once.

    The same names in the same order, the normal case, need no memory. From the first difference on the names that are
    left are in memory: a folder may have grown, and its files may have changed places.
    """

    def __init__(self, names: Iterable[str]) -> None:
        """Take the names, which are read as they are needed."""
        self._names: Iterator[tuple[int, str]] = enumerate(names)
        self._next = next(self._names, None)
        self._places: dict[str, int] | None = None
        #: Further places of names that occur more than once, the first one last.
        self._further: dict[str, list[int]] = {}

    def match(self, name: str) -> int | None:
        """The place of a name that was not found before; ``None`` where there is none."""
        if self._places is None:
            if self._next is None:
                return None
            place, expected = self._next
            if name == expected:
                self._next = next(self._names, None)
                return place
            self._places = self._collect()
        found = self._places.get(name)
        if found is None:
            return None
        others = self._further.get(name)
        if others:
            self._places[name] = others.pop()
        else:
            del self._places[name]
        return found

    def left(self) -> int:
        """How many names were not found."""
        if self._places is None:
            self._places = self._collect()
        return len(self._places) + sum(map(len, self._further.values()))

    def _collect(self) -> dict[str, int]:
        places: dict[str, int] = {}
        rest = iter(()) if self._next is None else iter([self._next])
        self._next = None
        for part in (rest, self._names):
            for place, name in part:
                if name in places:
                    self._further.setdefault(name, []).append(place)
                else:
                    places[name] = place
        for others in self._further.values():
            others.reverse()
        return places
