"""Recipes of fine-tuning: the new head, which parts of the network are trained, and how, phase by phase.

Keys of :class:`~zoo.training.recipe.Recipe` hold for all phases; ``phases`` has those of a single one.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from zoo.core.errors import UsageError
from zoo.core.spec import Cut
from zoo.core.suggestions import did_you_mean
from zoo.training import recipe as recipes
from zoo.training.recipe import Recipe

MODES = ("auto", "head", "partial", "full", "scratch")
POOLS = ("avg", "max", "flatten", "own")
PHASES = ("head", "partial", "full", "scratch")  #: Phases, in order.

DEFAULT = "default"
MOST_VIEWS = 64
_VIEWS = {"head": 2, "partial": 6}
_FOLDER = "finetune"


@dataclass(frozen=True, slots=True)
class Head:
    """A new head on a pretrained network."""

    pool: str = "avg"  #: Of the last feature map; ``own`` is the network's own classifier up to its last layer.
    hidden: tuple[int, ...] = ()  #: Widths of ReLU layers before the new last layer.
    dropout: float = 0.2  #: Before each layer.

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.pool not in POOLS:
            raise UsageError(f"head.pool is one of {', '.join(POOLS)}.{did_you_mean(self.pool, POOLS)}")
        if not all(isinstance(width, int) and width > 0 for width in self.hidden):
            raise UsageError(f"head.hidden is a list of widths, such as [1024]. Received: {list(self.hidden)}")
        if isinstance(self.dropout, bool) or not isinstance(self.dropout, int | float) or not 0 <= self.dropout < 1:
            raise UsageError(f"head.dropout is a number from 0 to below 1. Received: {self.dropout!r}")

    @property
    def cut(self) -> Cut:
        """Where the pretrained network is cut: at a vector, or at the feature map that the head pools."""
        pool: Any = self.pool if self.pool in ("avg", "max") else None
        return Cut(pool=pool, top=self.pool == "own")

    @classmethod
    def from_mapping(cls, values: Any) -> Head:
        """A head from plain values."""
        if not isinstance(values, Mapping):
            raise UsageError(f"head is a mapping, such as {{pool: avg, dropout: 0.2}}. Received: {values!r}")
        known = [item.name for item in dataclasses.fields(cls)]
        for key in values:
            if key not in known:
                raise UsageError(f"there is no '{key}' in a head.{did_you_mean(key, known)}")
        hidden = values.get("hidden", ())
        return cls(**{**values, "hidden": tuple(hidden) if isinstance(hidden, list | tuple) else (hidden,)})


@dataclass(frozen=True, slots=True)
class FineTuningRecipe:
    """How a pretrained network is fine-tuned."""

    name: str = DEFAULT
    description: str = ""
    #: ``head``: only the head is trained. ``partial``: then its upper part too. ``full``: then all of it. ``scratch``:
    #: all of it, from random weights. ``auto``: the rule of :mod:`zoo.training.finetuning.plan` chooses.
    mode: str = "auto"
    head: Head = field(default_factory=Head)
    #: Stage, layer or ``after:LAYER`` from which on ``partial`` trains; by default the rule chooses.
    unfreeze_from: str | None = None
    #: Layer-wise decay: the learning rate of each stage as a share of that of the stage above it.
    layer_decay: float = 1.0
    #: Cached views of each image, by phase; with 0 nothing is cached, and the frozen part runs in every step.
    views: Mapping[str, int] = field(default_factory=lambda: MappingProxyType(_VIEWS))
    phases: Mapping[str, Recipe] = field(default_factory=lambda: MappingProxyType({name: Recipe() for name in PHASES}))

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.mode not in MODES:
            hint = did_you_mean(self.mode, MODES)
            raise UsageError(f"mode is one of {', '.join(MODES)}.{hint} Received: {self.mode!r}")
        for name, count in self.views.items():
            if name not in ("head", "partial"):
                cached = "the phases head and partial, whose frozen part is cached"
                raise UsageError(f"views are for {cached}. Received: {name}")
            if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= MOST_VIEWS:
                raise UsageError(f"views is a whole number from 0 to {MOST_VIEWS}. Received: {count!r}")
        if isinstance(self.layer_decay, bool) or not isinstance(self.layer_decay, int | float):
            raise UsageError(f"layer_decay is a number. Received: {self.layer_decay!r}")
        if not 0 < self.layer_decay <= 1:
            raise UsageError(f"layer_decay is above 0 and at most 1. Received: {self.layer_decay:g}")
        if self.unfreeze_from is not None and not isinstance(self.unfreeze_from, str):
            raise UsageError(f"unfreeze_from is the name of a stage or layer. Received: {self.unfreeze_from!r}")
        if self.unfreeze_from is not None and self.mode not in ("auto", "partial"):
            raise UsageError(f"unfreeze_from is for the modes auto and partial. Received: mode {self.mode}")

    def as_dict(self) -> dict[str, Any]:
        """Plain values for YAML and JSON; the inverse of :func:`from_mapping`."""
        values = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        phases = {name: recipe.as_dict() for name, recipe in self.phases.items()}
        return values | {
            "head": {**dataclasses.asdict(self.head), "hidden": list(self.head.hidden)},
            "views": dict(self.views),
            "phases": {name: {key: phase[key] for key in _recipe_fields()} for name, phase in phases.items()},
        }


def load(
    name: str | os.PathLike[str],
    changes: Sequence[str] = (),
    *,
    epochs: int | None = None,
    learning_rate: float | None = None,
    **overrides: Any,
) -> FineTuningRecipe:
    """A recipe by name or path, with changes; ``epochs`` and ``learning_rate`` are those of the last phase."""
    file = recipes.find(name, _FOLDER)
    values = recipes.read(file)
    phases = values["phases"] = {key: dict(value or {}) for key, value in _phases(values, str(file)).items()}
    # A change for all phases overrides what the file has for one.
    for change in changes:
        recipes.apply(values, change)
        key = change.partition("=")[0].strip().split(".")[0]
        if key in _recipe_fields():
            for phase in phases.values():
                if key in phase:
                    recipes.apply(phase, change)
    for key, value in overrides.items():
        if value is not None:
            values[key] = value
            for phase in phases.values():
                phase.pop(key, None)
    given = {"epochs": epochs, "learning_rate": learning_rate}
    last = {key: value for key, value in given.items() if value is not None}
    ready = from_mapping(values, where=str(file))
    if last:
        for phase_name in ("partial", "full") if ready.mode == "auto" else (ready.mode,):
            phases[phase_name] = {**phases.get(phase_name, {}), **last}
        ready = from_mapping(values, where=str(file))
    return ready


def from_mapping(values: Mapping[str, Any], *, where: str = "recipe") -> FineTuningRecipe:
    """A recipe from plain values."""
    own = [item.name for item in dataclasses.fields(FineTuningRecipe)]
    common = _recipe_fields()
    given = _phases(values, where)
    for key in given:
        if key not in PHASES:
            raise UsageError(f"{where}: there is no phase '{key}'; it is one of {', '.join(PHASES)}.")
    for key in values:
        if key not in own and key not in common:
            near = did_you_mean(key, [*own, *common])
            raise UsageError(f"{where}: there is no '{key}' in a recipe of fine-tuning.{near}")
    shared = {key: value for key, value in values.items() if key in common}
    phases = {
        name: recipes.from_mapping({**shared, **(given.get(name) or {}), "name": name}, where=f"{where}, phase {name}")
        for name in PHASES
    }
    ready = {key: values[key] for key in own if key in values}
    try:
        if "head" in ready:
            ready["head"] = Head.from_mapping(ready["head"])
        if "views" in ready:
            views = ready["views"]
            both = {"head": views, "partial": views}
            ready["views"] = MappingProxyType({**_VIEWS, **(views if isinstance(views, Mapping) else both)})
        return FineTuningRecipe(**{**ready, "phases": MappingProxyType(phases)})
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error


def _phases(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    phases = values.get("phases") or {}
    if not isinstance(phases, Mapping) or not all(isinstance(part, Mapping | None) for part in phases.values()):
        raise UsageError(f"{where}: phases is a mapping, such as {{head: {{epochs: 10}}}}. Received: {phases!r}")
    return dict(phases)


def _recipe_fields() -> list[str]:
    return [item.name for item in dataclasses.fields(Recipe) if item.name not in ("name", "description")]
