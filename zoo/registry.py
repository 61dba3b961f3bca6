"""From a name to a :class:`ModelSpec`: the shipped catalogue, a user's own functions, and plugins.

The catalogue is data: ``configs/catalogue/*.yaml`` describes the networks, one file a family, and
``weights/*.yaml`` their trained weights. Nothing here imports a framework.
"""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from zoo import resources
from zoo.errors import UsageError
from zoo.spec import ModelSpec, Preprocessing, Resize, Stage, WeightFile, Weights

#: Group of the entry points by which an installed package offers networks: each names a module that
#: calls :func:`register_model` when it is imported, or a :class:`ModelSpec`.
ENTRY_POINTS = "zoo.models"

#: The three conventions of keras.applications, and networks that scale their own input.
PREPROCESSING = {
    "none": Preprocessing("none"),
    "caffe": Preprocessing("caffe", order="bgr", mean=(103.939, 116.779, 123.68)),
    "tf": Preprocessing("tf", mean=(127.5, 127.5, 127.5), std=(127.5, 127.5, 127.5)),
    "torch": Preprocessing("torch", mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)),
    "cifar10": Preprocessing("cifar10", mean=(125.3, 123.0, 113.9), std=(63.0, 62.1, 66.7)),
}

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
        preprocessing: ``"none"``, ``"caffe"``, ``"tf"``, ``"torch"``, ``"cifar10"``, or a :class:`Preprocessing`.
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


def get(name: str) -> ModelSpec:
    """The spec of a network by name, alias or Keras spelling, upper or lower case.

    Raises:
        UsageError: no network of that name; the sentence names the nearest ones.
    """
    found = _lookup(name, _names())
    if found is None:
        # Plugins cost a scan of everything that is installed, so they come last.
        load_plugins()
        found = _lookup(name, _names())
    if found is None:
        raise UsageError(f"There is no model '{name}'.{_suggestion(name)} 'zoo list' shows all names.")
    return found


def resolve(name: str) -> tuple[ModelSpec, str | None]:
    """Split ``NAME:TAG`` into the spec and the tag of its weights (``None`` where none is given).

    Raises:
        UsageError: unknown name or tag.
    """
    base, _, tag = name.partition(":")
    spec = get(base)
    if tag and tag not in spec.weights:
        known = ", ".join(spec.weights) or "none"
        raise UsageError(f"{spec.name} has no weights '{tag}'. Its weights: {known}.")
    return spec, tag or None


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
    for spec in (*_catalogue().values(), *_registered.values()):
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
    """The shipped networks, read from YAML."""
    weights = _read_weights()
    specs: dict[str, ModelSpec] = {}
    for file in sorted(resources.shipped("configs", "catalogue").glob("*.yaml")):
        document = read_yaml(file)
        for name, entry in document["models"].items():
            specs[name] = _spec(name, entry, document, weights.get(name, {}))
    return MappingProxyType(specs)


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
