"""Which inputs are done: by position while the order is unchanged, by path from the first difference on."""

from __future__ import annotations

from collections.abc import Iterable


class PathMatcher:
    """Finds paths in a list, each entry once; remembers paths only from the first difference in order on."""

    def __init__(self, paths: Iterable[str]) -> None:
        """The paths are read as they are needed."""
        self._paths = enumerate(paths)
        self._next = next(self._paths, None)
        self._positions: dict[str, int] | None = None
        #: Further positions of repeated paths, the first one last.
        self._repeated: dict[str, list[int]] = {}

    def match(self, path: str) -> int | None:
        """The first position of a path that was not matched before; ``None`` if there is none."""
        if self._positions is None:
            if self._next is None:
                return None
            position, expected = self._next
            if path == expected:
                self._next = next(self._paths, None)
                return position
            self._positions = self._collect()
        found = self._positions.pop(path, None)
        if self._repeated.get(path):
            self._positions[path] = self._repeated[path].pop()
        return found

    def left(self) -> int:
        """How many entries were not matched."""
        if self._positions is None:
            self._positions = self._collect()
        return len(self._positions) + sum(map(len, self._repeated.values()))

    def _collect(self) -> dict[str, int]:
        positions: dict[str, int] = {}
        for part in ([self._next] if self._next else [], self._paths):
            for position, path in part:
                if path in positions:
                    self._repeated.setdefault(path, []).append(position)
                else:
                    positions[path] = position
        self._next = None
        for others in self._repeated.values():
            others.reverse()
        return positions
