"""Every family of the registry, its smallest network with random weights, can be explained."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.catalog import registry
from zoo.core.errors import UsageError
from zoo.models import create_model
from zoo.visualize.explain.explain import explain
from zoo.visualize.network.inspected_model import InspectedModel

FAMILIES = {
    spec.family: spec for spec in sorted(registry.list_models(), key=lambda spec: -(spec.params or 0)) if spec.params
}


def subject_of(spec):
    """At the least size that leaves a few places in its last map."""
    side = max(64, spec.min_size) if spec.input_size[0] > 64 else spec.input_size[0]
    return InspectedModel(create_model(spec, None, input_shape=(side, side, 3)))


@pytest.mark.slow
@pytest.mark.parametrize("family", sorted(FAMILIES.keys() - {"autoencoder", "mlp"}))
def test_family(family):
    subject = subject_of(FAMILIES[family])
    image = np.random.default_rng(0).integers(0, 256, (1, *subject.input_shape), dtype="uint8")
    (record,) = explain(subject, image, method=["gradcam", "saliency"], faithfulness=False)
    gradcam, saliency = record.explanations
    assert gradcam.layer == subject.default_layer
    assert np.abs(gradcam.values).max() > 0, gradcam.blank
    assert saliency.map.max() > 0
    assert saliency.map.shape == gradcam.map.shape == subject.input_shape[:2]


def test_a_family_without_maps():
    subject = subject_of(FAMILIES["mlp"])
    image = np.random.default_rng(0).integers(0, 256, (1, *subject.input_shape), dtype="uint8")
    (record,) = explain(subject, image, method="saliency", faithfulness=False)
    assert record.explanations[0].map.max() > 0
    with pytest.raises(UsageError, match="no layer whose output has rows and columns"):
        explain(subject, image, method="gradcam")


def test_a_family_without_classes():
    subject = subject_of(FAMILIES["autoencoder"])
    with pytest.raises(UsageError, match="one number a class"):
        explain(subject, np.zeros((1, *subject.input_shape), "uint8"))
