"""The four cases, and where a part begins."""

from __future__ import annotations

import pytest

from zoo.catalog import registry
from zoo.core.errors import UsageError
from zoo.training.finetuning import plan


@pytest.mark.parametrize(
    ("images", "top1", "expected"),
    [
        (500, 0.9, ("partial", plan.STAGES_SIMILAR)),
        (500, 0.3, ("partial", plan.STAGES_DIFFERENT)),
        (500, None, ("partial", plan.STAGES_SIMILAR)),
        (50_000, 0.9, ("full", 0)),
        (50_000, 0.3, ("full", 0)),
    ],
)
def test_the_four_cases(images, top1, expected):
    found = plan.depth(images, top1)
    assert (found.phase, found.stages) == expected
    assert f"{images:,} images" in found.reason


NAMES = ["input", "a", "b", "c", "d", "e", "head_pool", "predictions"]


@pytest.mark.parametrize(("stages", "first"), [(1, "e"), (2, "c"), (3, "input"), (9, "input")])
def test_stages_are_counted_from_the_top(stages, first):
    assert plan.first_of_stages(NAMES, [2, 4, 5], stages) == first


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("stage5", "block_13_expand"),
        ("block_16_project", "block_16_project"),
        ("after:block_12_add", "block_13_expand"),
        ("stage1", "first"),
        ("stage9", None),
        ("after:nothing", None),
        ("after:last", None),
    ],
)
def test_a_stage_a_layer_or_what_comes_after_one(text, first):
    names = ["first", "expanded_conv_project_BN", "block_2_add", "block_5_add", "block_12_add", "block_13_expand"]
    names += ["block_16_project", "out_relu", "last"]
    assert plan.resolve(registry.get("mobilenetv2"), names, text) == first


def test_a_network_without_that_layer_says_which_are_near(tmp_path):
    from zoo import models

    model = models.create_model("lenet5", None)
    with pytest.raises(UsageError, match="has no layer"):
        models.find_layer(model, "conv1x")
