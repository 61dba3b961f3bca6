"""The catalogue's files.

``configs/catalogue/*.yaml`` describes the networks that code builds, one file a family, ``configs/models/*.yaml`` are
networks layer by layer, and ``weights/*.yaml`` lists the trained weights of both. ``$ZOO_CONFIG_PATH`` has folders with
a user's own networks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from zoo.catalog import declarative
from zoo.catalog.presets import PREPROCESSING
from zoo.core import paths
from zoo.core.errors import UsageError
from zoo.core.spec import ModelSpec, Preprocessing, Resize, Stage, WeightFile, Weights


@cache
def built() -> Mapping[str, ModelSpec]:
    """The shipped networks that code builds."""
    weights = _weights()
    specs: dict[str, ModelSpec] = {}
    for file in sorted(paths.shipped("configs", "catalogue").glob("*.yaml")):
        document = read_yaml(file)
        for name, entry in document["models"].items():
            specs[name] = read_entry(name, entry, document, weights.get(name, {}))
    return MappingProxyType(specs)


@cache
def declared() -> Mapping[str, ModelSpec]:
    """The networks that ship with zoo layer by layer."""
    weights = _weights()
    specs = declarative.shipped()
    return MappingProxyType(
        {name: replace(spec, weights=MappingProxyType(weights.get(name, {}))) for name, spec in specs.items()}
    )


@cache
def own() -> Mapping[str, ModelSpec]:
    """The networks in the folders of ``$ZOO_CONFIG_PATH``."""
    return MappingProxyType(declarative.collect(paths.config_roots()))


def load(path: str) -> ModelSpec:
    """The network of a YAML file, checked as a whole. A copy of a shipped file has its weights too.

    Raises:
        UsageError: the file cannot be read or makes no sense.
    """
    spec = declarative.load(path)
    known = declared().get(spec.name)
    ours = known is not None and known.arguments["digest"] == spec.arguments["digest"]
    return replace(spec, weights=known.weights) if known is not None and ours else spec


def read_yaml(file: Path) -> Any:
    """Read one YAML file with the safe loader, the compiled one where PyYAML has it (five times faster)."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(file.read_text(encoding="utf-8"), loader)


def read_entry(name: str, entry: dict[str, Any], family: dict[str, Any], weights: Mapping[str, Weights]) -> ModelSpec:
    """One entry of a family's file; what it leaves out comes from the file as a whole, ``family``.

    Raises:
        UsageError: the preprocessing is unknown.
    """

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
        preprocessing=preprocessing(value("preprocessing", "none"), name),
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


def preprocessing(value: str | Preprocessing, name: str) -> Preprocessing:
    """A preprocessing by its name in :data:`~zoo.catalog.presets.PREPROCESSING`; ``name`` is the network's.

    Raises:
        UsageError: no such preprocessing.
    """
    if isinstance(value, Preprocessing):
        return value
    if value not in PREPROCESSING:
        raise UsageError(f"{name}: preprocessing is one of {', '.join(PREPROCESSING)}. Received: {value!r}")
    return PREPROCESSING[value]


@cache
def _weights() -> dict[str, dict[str, Weights]]:
    """Weights by network and tag, from ``weights/*.yaml``; one file a tag."""
    table: dict[str, dict[str, Weights]] = {}
    for file in sorted(paths.shipped("weights").glob("*.yaml")):
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
