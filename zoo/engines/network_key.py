"""The values that identify a network, as they stand in the keys of everything that is computed with it and kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from zoo._version import __version__
from zoo.core import old_descriptions, source_code
from zoo.pretrained import digests, keras_file

if TYPE_CHECKING:
    from zoo.core.spec import ModelSpec
    from zoo.pretrained.weights import LocalWeights

#: The code that builds a network.
BUILDING = ("zoo.models", "zoo.layers", "zoo.catalog.declarative", "zoo.core.spec")


def network_values(spec: ModelSpec, weights: LocalWeights | None) -> dict[str, Any]:
    """Everything that decides the output of a network for given pixels, as values that JSON has."""
    digest = digests.digest(weights.path) if weights else keras_file.fingerprint(spec.file) if spec.file else None
    return {
        "model": spec.name,
        "builder": str(spec.builder),
        # A network in YAML is identified by the digest of its file, wherever that is.
        "arguments": {key: value for key, value in spec.arguments.items() if key != "network"},
        "preprocessing": spec.preprocessing.values(),
        "input_size": list(spec.input_size),
        "classes": spec.classes,
        "weights_sha256": digest,
        "cut": asdict(spec.cut) if spec.cut else None,
    }


def code_values(spec: ModelSpec, *modules: str) -> dict[str, str]:
    """The version of zoo, and digests of the code that builds a network and of further modules that compute with it."""
    values = {"zoo_version": __version__, "code": source_code.digest(*BUILDING, *modules)}
    builder = spec.builder.partition(":")[0] if isinstance(spec.builder, str) else ""
    if builder.partition(".")[0] not in ("", "zoo", "keras"):
        values["builder_code"] = source_code.digest(builder)
    return values


def old_values(values: Mapping[str, Any], spec: ModelSpec) -> dict[str, Any]:
    """:func:`network_values` as zoo 0.1 stored them."""
    return {
        **values,
        "builder": old_descriptions.BUILDERS.get(values["builder"], values["builder"]),
        "arguments": dict(spec.arguments),
        "preprocessing": old_descriptions.preprocessing_sentence(spec.preprocessing),
    }


def is_of_network(about: Mapping[str, Any], spec: ModelSpec, weights: LocalWeights | None) -> bool:
    """Whether what is kept with ``about`` was made with a network, by this version of zoo or by 0.1."""
    values = json.loads(json.dumps(network_values(spec, weights)))
    return any(about.items() >= wanted.items() for wanted in (values, old_values(values, spec)))
