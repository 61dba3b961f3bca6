"""From a name to a :class:`ModelSpec`: the shipped catalogue, networks in YAML, a user's own functions, and plugins.

The catalogue is data: ``configs/catalogue/*.yaml`` describes the networks that code builds, one file a family,
``configs/models/*.yaml`` are networks layer by layer, and ``weights/*.yaml`` are trained weights of both. The folders
of ``$ZOO_CONFIG_PATH`` hold a user's own networks. Nothing here imports a framework.
"""

from __future__ import annotations

import difflib
import fnmatch
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from zoo import declarative, resources
from zoo.errors import UsageError
from zoo.presets import PREPROCESSING
from zoo.spec import ModelSpec, Preprocessing, Resize, Stage, WeightFile, Weights

__all__ = [
    "PREPROCESSING",
    "add",
    "families",
    "get",
    "list_models",
    "load_plugins",
    "natural_key",
    "read_yaml",
    "reference",
    "register_model",
    "resolve",
    "with_variables",
]

#: Group of the entry points by which an installed package offers networks: each names a module that
#: calls :func:`register_model` when it is imported, or a :class:`ModelSpec`.
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
    """Make a builder function a network of the registry; a decorator.

    The function is called with ``input_shape``, ``classes``, ``include_top``, ``pooling`` and
    ``classifier_activation``, as far as its signature has them, and returns a Keras model that takes
    pixels as ``preprocessing`` leaves them.

    Args:
        name: name in the registry; the function's own without.
        input_size: height and width in pixels.
        preprocessing: a name of :data:`PREPROCESSING`, such as ``"torch"`` or ``"grey"``, or a :class:`Preprocessing`.
        policy: ``"crop"``, ``"pad"`` or ``"squash"``: how pictures are brought to that size.
        family: what ``zoo list --family`` knows it as.
        aliases: other names.
        **fields: further fields of :class:`ModelSpec`, such as ``classes``, ``stages`` or ``paper``.

    Raises:
        UsageError: the name is not one that can be typed, or the preprocessing is unknown.
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
                preprocessing=_preprocessing(preprocessing, chosen),
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
    """The spec of a network by name, alias or Keras spelling, upper or lower case; or by the path of a YAML file.

    A network in a user's YAML file is checked as a whole; one that ships with zoo has been.

    Raises:
        UsageError: no network of that name; the sentence names the nearest ones. Or the file makes no sense.
    """
    name = os.fspath(name)
    if declarative.is_file(name):
        return _load(name)
    found = _lookup(name, _names())
    if found is None:
        # Plugins cost a scan of everything that is installed, so they come last.
        load_plugins()
        found = _lookup(name, _names())
    if found is None:
        hint = _suggestion(name) or (" A path ends in .yaml or .keras." if os.sep in name else "")
        raise UsageError(f"There is no model '{name}'.{hint} 'zoo list' shows all names.")
    if found is _own_networks().get(found.name):
        return _load(found.arguments["network"])
    return found


def resolve(name: str | os.PathLike[str]) -> tuple[ModelSpec, str | None]:
    """Split ``NAME:TAG`` into the spec and the tag of its weights (``None`` where none is given).

    The path of a YAML file has no tag.

    Raises:
        UsageError: unknown name or tag.
    """
    name = os.fspath(name)
    if declarative.is_file(name):
        return _load(name), None
    base, _, tag = name.partition(":")
    spec = get(base)
    if tag and tag not in spec.weights:
        known = ", ".join(spec.weights) or "none"
        raise UsageError(f"{spec.name} has no weights '{tag}'. Its weights: {known}.")
    return spec, tag or None


def reference(spec: ModelSpec) -> str:
    """What :func:`get` finds a network by, also in another process: its name, or the path of its file."""
    if "digest" not in spec.arguments:
        return spec.name
    known = _names().get(spec.name)
    same = known is not None and known.arguments.get("digest") == spec.arguments["digest"]
    return spec.name if same else str(spec.arguments["network"])


def with_variables(spec: ModelSpec, variables: Mapping[str, object]) -> ModelSpec:
    """The same network with other values for its variables, or for the arguments of its builder.

    Its figures and weights are left out, because they are not those of the new one.

    Args:
        spec: a network, from a YAML file or built by code.
        variables: values by name; their names and kinds are checked for a YAML file.

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
        pattern: shell wildcards (``resnet*``) on names and aliases; without wildcards, a part of the name.
        family: only this family, upper or lower case.
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
    """Import what installed packages offer under the entry point group ``zoo.models``, once.

    A plugin that fails to import is named in a warning and costs nothing else.
    """
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
    """Every name and alias in lower case, with its spec."""
    table: dict[str, ModelSpec] = {}
    for spec in (
        *_catalogue().values(),
        *_shipped_networks().values(),
        *_own_networks().values(),
        *_registered.values(),
    ):
        for name in (spec.name, *spec.aliases):
            table[name.lower()] = spec
    return table


def _lookup(name: str, table: Mapping[str, ModelSpec]) -> ModelSpec | None:
    return table.get(name.lower())


def _suggestion(name: str) -> str:
    """' Did you mean …?' with at most three near names, or nothing."""
    near = difflib.get_close_matches(name.lower(), _names(), n=6, cutoff=0.6)
    names = list(dict.fromkeys(_names()[key].name for key in near))[:3]
    return f" Did you mean {' or '.join(names)}?" if names else ""


# The catalogue as files.


@cache
def _catalogue() -> Mapping[str, ModelSpec]:
    """The shipped networks that code builds."""
    weights = _read_weights()
    specs: dict[str, ModelSpec] = {}
    for file in sorted(resources.shipped("configs", "catalogue").glob("*.yaml")):
        document = read_yaml(file)
        for name, entry in document["models"].items():
            specs[name] = _spec(name, entry, document, weights.get(name, {}))
    return MappingProxyType(specs)


@cache
def _shipped_networks() -> Mapping[str, ModelSpec]:
    """The networks that ship with zoo layer by layer."""
    weights = _read_weights()
    specs = declarative.shipped()
    return MappingProxyType(
        {name: replace(spec, weights=MappingProxyType(weights.get(name, {}))) for name, spec in specs.items()}
    )


@cache
def _own_networks() -> Mapping[str, ModelSpec]:
    """The networks in the folders of ``$ZOO_CONFIG_PATH``."""
    return MappingProxyType(declarative.collect(resources.config_roots()))


def _load(path: str) -> ModelSpec:
    """The network of a YAML file, checked as a whole. A copy of a shipped file has its weights too."""
    spec = declarative.load(path)
    known = _shipped_networks().get(spec.name)
    ours = known is not None and known.arguments["digest"] == spec.arguments["digest"]
    return replace(spec, weights=known.weights) if known is not None and ours else spec


def read_yaml(file: Path) -> Any:
    """Read one YAML file with the safe loader, the compiled one where PyYAML has it (five times faster)."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(file.read_text(encoding="utf-8"), loader)


def _spec(name: str, entry: dict[str, Any], family: dict[str, Any], weights: Mapping[str, Weights]) -> ModelSpec:
    """One entry of a family's file; what it leaves out comes from the family."""

    def value(key: str, default: Any = None) -> Any:
        return entry.get(key, family.get(key, default))

    size = value("input", 224)
    height, width = (size, size) if isinstance(size, int) else size
    keras_name = entry.get("keras")
    return ModelSpec(
        name=name,
        family=family["family"],
        aliases=(*([keras_name] if keras_name else []), *entry.get("aliases", ())),
        builder=value("builder") or f"keras.applications:{entry.get('function', keras_name)}",
        arguments=MappingProxyType(entry.get("arguments", {})),
        resize=Resize(height, width, **value("resize", {})),
        preprocessing=_preprocessing(value("preprocessing", "none"), name),
        min_size=value("min_size", 32),
        classes=value("classes", 1000),
        mirror=value("mirror", False),
        recipe=value("recipe"),
        params=entry.get("params"),
        params_no_top=entry.get("params_no_top"),
        gmacs=entry.get("gmacs"),
        stages=tuple(Stage(*stage) for stage in entry.get("stages", ())),
        weights=weights,
        paper=value("paper"),
        description=value("description"),
    )


def _preprocessing(value: str | Preprocessing, name: str) -> Preprocessing:
    if isinstance(value, Preprocessing):
        return value
    if value not in PREPROCESSING:
        raise UsageError(f"{name}: preprocessing is one of {', '.join(PREPROCESSING)}. Received: {value!r}")
    return PREPROCESSING[value]


@cache
def _read_weights() -> dict[str, dict[str, Weights]]:
    """Weights by network and tag, from ``weights/*.yaml``; one file a tag."""
    table: dict[str, dict[str, Weights]] = {}
    for file in sorted(resources.shipped("weights").glob("*.yaml")):
        document = read_yaml(file)
        shared = {key: document[key] for key in ("labels", "trained_on", "licence", "protocol") if key in document}
        for name, entry in document["models"].items():
            fields = {**shared, **entry}
            for part in ("top", "no_top"):
                if fields.get(part):
                    fields[part] = _weight_file(fields[part], document)
            table.setdefault(name, {})[document["tag"]] = Weights(tag=document["tag"], **fields)
    return table


def _weight_file(entry: dict[str, Any], document: dict[str, Any]) -> WeightFile:
    """A file's entry; its ``url`` may be relative to the document's ``base_url``."""
    url = entry.get("url")
    if url and "://" not in url:
        url = document["base_url"] + url
    return WeightFile(**{**entry, "url": url})
