"""Fine-tuning in tests: the caches of one session, so that networks are compiled once, or no compiling at all."""

from __future__ import annotations

import pytest

from tests.training.finetuning.toys import paint


@pytest.fixture
def plain_engine(monkeypatch):
    """Networks run in Keras, in this process, which is quicker than compiling each."""
    from zoo.engines import registry

    keras = registry.ENGINES["keras"]
    monkeypatch.setattr(registry, "choose", lambda request, spec, device: keras)
    monkeypatch.setattr(registry, "usable", lambda spec, device: [keras])


@pytest.fixture
def images(tmp_path):
    """Sixty images of three colours."""
    return paint(tmp_path / "pictures")
