"""From a name to a :class:`ModelSpec`: names, aliases, wildcards, paths, registered functions, and plugins.

Networks come from files (:mod:`zoo.catalog.files`) and from code that registers itself.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar

from zoo.catalog import declarative, files
from zoo.catalog.presets import PREPROCESSING
from zoo.core.errors import UsageError
from zoo.core.spec import ModelSpec, Preprocessing, Resize
from zoo.core.suggestions import did_you_mean

__all__ = [
    "PREPROCESSING",
    "add",
    "families",
    "get",
    "list_models",
    "load_plugins",
    "natural_key",
    "reference",
    "register_model",
    "resolve",
    "with_variables",
]

#: Entry point group of plugins: each names a module that calls :func:`register_model`, or a :class:`ModelSpec`.
ENTRY_POINTS = "zoo.models"

# Networks registered by code, by name. They win over the catalogue, so that a user can replace an entry.
_registered: dict[str, ModelSpec] = {}

Builder = TypeVar("Builder", bound=Callable[..., Any])


def register_model(
    name: str | None = None,
    *,
    input_size: tuple[int, int] = (224, 224),
    preprocessing: str | Preprocessing = "none",
    policy: str = "crop",
    family: str = "custom",
    aliases: Iterable[str] = (),
    **fields: Any,
) -> Callable[[Builder], Builder]:
    """Register a builder function as a network; a decorator.

    The function is called with ``input_shape``, ``classes``, ``include_top``, ``pooling`` and
    ``classifier_activation``, if its signature has them, and returns a Keras model that takes preprocessed pixels.

    Args:
        name: name in the registry; the function's own if omitted.
        input_size: height and width in pixels.
        preprocessing: a name of :data:`PREPROCESSING`, such as ``"torch"`` or ``"grey"``, or a :class:`Preprocessing`.
        policy: ``"crop"``, ``"pad"`` or ``"squash"``: how images are resized.
        family: for ``zoo list --family``.
        aliases: other names.
        **fields: further fields of :class:`ModelSpec`, such as ``classes``, ``stages`` or ``paper``.

    Raises:
        UsageError: an invalid name, or an unknown preprocessing.
    """

    def decorate(function: Builder) -> Builder:
        chosen = str(name or getattr(function, "__name__", ""))
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", chosen):
            raise UsageError(f"A model name is made of letters, digits, '.', '_' and '-'. Received: {chosen!r}")
        add(
            ModelSpec(
                name=chosen.lower(),
                family=family,
                aliases=tuple(aliases),
                builder=function,
                resize=Resize(*input_size, policy=policy),  # type: ignore[arg-type]
                preprocessing=files.preprocessing(preprocessing, chosen),
                **{"min_size": 1, **fields},
            )
        )
        return function

    return decorate


def add(spec: ModelSpec) -> None:
    """Add a spec to the registry; one of the same name is replaced."""
    _registered[spec.name] = spec
    _names.cache_clear()


def get(name: str | os.PathLike[str]) -> ModelSpec:
    """The spec of a network by name, alias or Keras spelling, in any case; or by the path of a YAML file.

    Raises:
        UsageError: no network of that name; the message suggests the nearest ones. Or the file makes no sense.
    """
    name = os.fspath(name)
    if declarative.is_file(name):
        return files.load(name)
    found = _names().get(name.lower())
    if found is None:
        # Plugins cost a scan of everything that is installed, so they come last.
        load_plugins()
        found = _names().get(name.lower())
    if found is None:
        shown = {key: spec.name for key, spec in _names().items()}
        hint = did_you_mean(name, shown, count=3, shown=shown) or (
            " A path ends in .yaml or .keras." if os.sep in name else ""
        )
        raise UsageError(f"There is no model '{name}'.{hint} 'zoo list' shows all names.")
    if found is files.own().get(found.name):
        return files.load(found.arguments["network"])
    return found


def resolve(name: str | os.PathLike[str]) -> tuple[ModelSpec, str | None]:
    """Split ``NAME:TAG`` into the spec and the tag of its weights (``None`` if omitted). A YAML file has no tag.

    Raises:
        UsageError: unknown name or tag.
    """
    name = os.fspath(name)
    if declarative.is_file(name):
        return files.load(name), None
    base, _, tag = name.partition(":")
    spec = get(base)
    if tag and tag not in spec.weights:
        known = ", ".join(spec.weights) or "none"
        raise UsageError(f"{spec.name} has no weights '{tag}'. Its weights: {known}.")
    return spec, tag or None


def reference(spec: ModelSpec) -> str:
    """What :func:`get` finds a network by in another process: its name, or the path of its file."""
    if "digest" not in spec.arguments:
        return spec.name
    known = _names().get(spec.name)
    same = known is not None and known.arguments.get("digest") == spec.arguments["digest"]
    return spec.name if same else str(spec.arguments["network"])


def with_variables(spec: ModelSpec, variables: Mapping[str, object]) -> ModelSpec:
    """The same network with other values for its variables or its builder's arguments, without figures and weights.

    Raises:
        UsageError: it has no such variable, or the value is of another kind.
    """
    if not variables:
        return spec
    if declarative.is_declarative(spec):
        # A spec may be older than its file, or have another input size.
        new = declarative.load(spec.arguments["network"], {**spec.arguments.get("variables", {}), **variables})
        return replace(new, resize=spec.resize)
    for name in variables:
        if name not in spec.arguments:
            known = ", ".join(spec.arguments) or "none"
            raise UsageError(f"{spec.name} has no variable '{name}'. Its variables: {known}.")
    return replace(
        spec,
        arguments=MappingProxyType({**spec.arguments, **variables}),
        params=None,
        params_no_top=None,
        gmacs=None,
        weights=MappingProxyType({}),
    )


def list_models(
    pattern: str | None = None,
    *,
    family: str | None = None,
    max_params: int | None = None,
) -> list[ModelSpec]:
    """Specs in natural order of their names.

    Args:
        pattern: shell wildcards (``resnet*``) for names and aliases; a pattern without wildcards is part of a name.
        family: only this family, in any case.
        max_params: only networks with at most this many parameters.
    """
    load_plugins()
    specs = list({spec.name: spec for spec in _names().values()}.values())
    if pattern:
        wanted = pattern.lower()
        if not re.search(r"[*?\[]", wanted):
            wanted = f"*{wanted}*"
        specs = [s for s in specs if any(fnmatch.fnmatchcase(n.lower(), wanted) for n in (s.name, *s.aliases))]
    if family:
        specs = [spec for spec in specs if spec.family.lower() == family.lower()]
    if max_params is not None:
        specs = [spec for spec in specs if spec.params is not None and spec.params <= max_params]
    return sorted(specs, key=lambda spec: natural_key(spec.name))


def families() -> list[str]:
    """Names of the families, sorted."""
    return sorted({spec.family for spec in list_models()})


def natural_key(text: str) -> list[tuple[int, float, str]]:
    """Sort key by which ``resnet50`` comes before ``resnet101``, and ``mobilenet_0.25`` before ``mobilenet_0.5``."""
    parts = re.split(r"(\d+(?:\.\d+)?)", text.lower())
    return [(0, float(part), "") if index % 2 else (1, 0.0, part) for index, part in enumerate(parts)]


@cache
def load_plugins() -> None:
    """Import the entry points ``zoo.models`` of installed packages, once; one that fails is named in a warning."""
    import warnings
    from importlib.metadata import entry_points

    for point in entry_points(group=ENTRY_POINTS):
        try:
            offered = point.load()
        except Exception as error:
            warnings.warn(f"The plugin '{point.name}' ({point.value}) does not load: {error}", stacklevel=2)
            continue
        if isinstance(offered, ModelSpec):
            add(offered)


@cache
def _names() -> dict[str, ModelSpec]:
    """Every name and alias in lower case, with its spec; later sources win."""
    sources = (files.built(), files.declared(), files.own(), _registered)
    specs = [spec for source in sources for spec in source.values()]
    return {name.lower(): spec for spec in specs for name in (spec.name, *spec.aliases)}
