"""Fixtures of fine-tuning: images, and an engine that need not compile."""

from __future__ import annotations

import pytest

from tests.training.finetuning.toys import paint


def run_in_keras(patch):
    """Networks run in Keras, in this process, which is quicker than compiling each."""
    from zoo.engines import registry

    keras = registry.ENGINES["keras"]
    patch.setattr(registry, "choose", lambda request, spec, device: keras)
    patch.setattr(registry, "usable", lambda spec, device: [keras])


@pytest.fixture
def plain_engine(monkeypatch):
    """See :func:`run_in_keras`."""
    run_in_keras(monkeypatch)


@pytest.fixture
def images(tmp_path):
    """Sixty images of three colours."""
    return paint(tmp_path / "pictures")
