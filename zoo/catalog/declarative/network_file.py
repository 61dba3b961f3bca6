"""Networks from YAML files as specs: the heading alone, to list a network, or all of a file, checked, to use it."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from zoo.catalog.declarative import heading, yaml_lines
from zoo.catalog.declarative.yaml_lines import Node
from zoo.core import paths
from zoo.core.errors import UsageError
from zoo.core.spec import ModelSpec, Stage

if TYPE_CHECKING:
    from zoo.catalog.declarative.network import Network
    from zoo.catalog.declarative.variables import Value

log = logging.getLogger(__name__)

BUILDER = "zoo.models.from_yaml:build"

# From ``layers:`` to the next key. The items of a list may begin at the margin.
_LAYERS = re.compile(r"^layers[ \t]*:.*?(?=^(?![-#\s])|\Z)", re.MULTILINE | re.DOTALL)


def is_file(name: str | os.PathLike[str]) -> bool:
    """Whether a model name means a YAML file."""
    return os.fspath(name).endswith((".yaml", ".yml"))


def is_declarative(spec: ModelSpec) -> bool:
    """Whether a network comes from a YAML file."""
    return spec.builder == BUILDER


def load(path: str | os.PathLike[str], variables: Mapping[str, object] | None = None) -> ModelSpec:
    """Read and check a network.

    Args:
        path: the YAML file.
        variables: values that replace those of the file, by name. The file's figures are then left out.

    Returns:
        A spec that :func:`zoo.create_model` builds. Its ``stages`` are those that the layers name, with a stride and
        width of 0 if the file states none.

    Raises:
        UsageError: the file cannot be read, or something in it makes no sense; the message has the line.
    """
    return parse(yaml_lines.read_text(path), yaml_lines.shown(path), path=path, variables=variables)


def parse(
    text: str,
    file: str,
    *,
    path: str | os.PathLike[str] | None = None,
    variables: Mapping[str, object] | None = None,
) -> ModelSpec:
    """As :func:`load`, for text that has been read already.

    Args:
        text: the YAML.
        file: what messages call it.
        path: the file that the build reads again; ``file`` if omitted.
        variables: values that replace those of the file.
    """
    root = yaml_lines.parse(text, file)
    path = file if path is None else path
    head = heading.read(root, Path(path).stem)
    network = _network(root, head, variables or {}, head["classes"])
    given = {stage.layer: stage for stage in head["stages"]}
    names = {call.name for call in network.calls}
    for stage in given.values():
        if stage.layer not in names and not variables:
            raise root.error(
                f"the stage '{stage.name}' ends with a layer '{stage.layer}', which is not there", key="stages"
            )
    spec = _spec(head, path, text, variables)
    if variables:
        unknown = tuple(Stage(name, layer, 0, 0) for name, layer in network.stages)
        return replace(spec, params=None, params_no_top=None, gmacs=None, stages=unknown)
    stages = [given.pop(layer, Stage(name, layer, 0, 0)) for name, layer in network.stages]
    return replace(spec, stages=(*stages, *given.values()))


def load_heading(path: str | os.PathLike[str]) -> ModelSpec | None:
    """What the heading of a file says, for lists; ``None`` if the file has no layers, so that it is no network.

    Raises:
        UsageError: the file cannot be read, or its heading makes no sense.
    """
    text = yaml_lines.read_text(path)
    if not _LAYERS.search(text):
        return None
    # Line numbers stay as they are.
    cut = _LAYERS.sub(lambda match: "\n" * match[0].count("\n"), text, count=1)
    head = heading.read(yaml_lines.parse(cut, yaml_lines.shown(path)), Path(path).stem, layers=False)
    return _spec(head, path, text, None)


def shipped() -> dict[str, ModelSpec]:
    """The headings of the networks in ``configs/models``, by name."""
    specs = map(load_heading, sorted(paths.shipped("configs", "models").glob("*.yaml")))
    return {spec.name: spec for spec in specs if spec is not None}


def collect(roots: Iterable[Path]) -> dict[str, ModelSpec]:
    """The headings of the networks in a user's folders, and in ``models/`` of each, by name; the first one wins.

    A broken file is named in a warning and left out.
    """
    specs: dict[str, ModelSpec] = {}
    for root in roots:
        if not root.is_dir():
            log.warning("ZOO_CONFIG_PATH names the folder %s, which is not there.", root)
        for folder in (root / "models", root):
            found: dict[str, Path] = {}
            for file in sorted((*folder.glob("*.yaml"), *folder.glob("*.yml"))):
                try:
                    spec = load_heading(file)
                except UsageError as error:
                    log.warning("%s This network is left out.", error)
                    continue
                if spec is None:
                    # Beside networks there may be recipes.
                    if folder.name == "models":
                        log.warning("%s has no layers, so it is no network, and is left out.", file)
                elif spec.name in found:
                    log.warning("%s and %s both describe '%s'; the first is taken.", found[spec.name], file, spec.name)
                else:
                    found[spec.name] = file
                    specs.setdefault(spec.name, spec)
    return specs


def read_network(path: str | os.PathLike[str], given: Mapping[str, object], classes: int) -> Network:
    """The calls of a network, for values of its variables and a number of classes.

    Raises:
        UsageError: as for :func:`load`.
    """
    root = _root(path)
    return _network(root, heading.read(root, Path(path).stem), given, classes)


def defaults(spec: ModelSpec) -> dict[str, Value]:
    """The variables of a network with their values, but for ``classes``.

    Raises:
        UsageError: its file cannot be read any more.
    """
    from zoo.catalog.declarative import variables

    root = _root(spec.arguments["network"])
    entry = (root.mapping or {}).get("variables")
    values = variables.resolve(entry, spec.arguments.get("variables", {}), spec.classes, root.file)
    return {name: value for name, value in values.items() if name != variables.CLASSES}


def _root(path: str | os.PathLike[str]) -> Node:
    return yaml_lines.parse(yaml_lines.read_text(path), yaml_lines.shown(path))


def _network(root: Node, head: Mapping[str, Any], given: Mapping[str, object], classes: int) -> Network:
    # Imported here because a list of networks needs the headings alone.
    from zoo.catalog.declarative import network, variables

    if classes and not head["classes"]:
        raise UsageError(f"{root.file} describes no classifier (classes: 0), so it cannot have {classes} classes.")
    entries = root.mapping or {}
    values = variables.resolve(entries.get("variables"), given, classes, root.file)
    return network.read(str(head["name"]), entries["layers"], values)


def _spec(
    head: Mapping[str, Any], path: str | os.PathLike[str], text: str, given: Mapping[str, object] | None
) -> ModelSpec:
    """The spec of a file. The digest of its text is no argument of the build; it tells caches that a file changed."""
    arguments: dict[str, Any] = {
        "network": os.path.abspath(path),
        "digest": hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
    }
    if given:
        arguments["variables"] = dict(given)
    return ModelSpec(builder=BUILDER, arguments=MappingProxyType(arguments), **head)
