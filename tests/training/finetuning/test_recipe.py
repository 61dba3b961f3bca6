"""Recipes of fine-tuning: every shipped one is read, and what is wrong in one is said with its place."""

from __future__ import annotations

import pytest

from zoo.core.errors import UsageError
from zoo.training.finetuning import recipe as recipes
from zoo.training.recipe import available


@pytest.mark.parametrize("name", sorted(available("finetune")))
def test_every_shipped_recipe_is_read_and_comes_back_from_plain_values(name):
    recipe = recipes.load(name)
    assert recipe.description
    assert recipes.from_mapping(recipe.as_dict()) == recipe


def test_what_holds_for_all_phases_is_changed_in_all_of_them():
    recipe = recipes.load("default", ["precision=float32", "label_smoothing=0.3"])
    assert {phase.precision for phase in recipe.phases.values()} == {"float32"}
    assert {phase.label_smoothing for phase in recipe.phases.values()} == {0.3}


def test_what_one_phase_has_is_its_own():
    recipe = recipes.load("default", ["phases.partial.epochs=3", "phases.partial.optimizer.beta_1=0.8"])
    assert recipe.phases["partial"].epochs == 3
    assert recipe.phases["head"].epochs == 10
    assert recipe.phases["partial"].optimizer["beta_1"] == 0.8


@pytest.mark.parametrize(
    ("mode", "changed"),
    [("head", {"head"}), ("auto", {"partial", "full"}), ("full", {"full"}), ("scratch", {"scratch"})],
)
def test_epochs_and_rate_are_those_of_the_last_phase(mode, changed):
    plain = recipes.load("default", mode=mode)
    given = recipes.load("default", mode=mode, epochs=77, learning_rate=0.5)
    for name, phase in given.phases.items():
        assert (phase.epochs, phase.learning_rate) == (
            (77, 0.5) if name in changed else (plain.phases[name].epochs, plain.phases[name].learning_rate)
        )


def test_views_are_one_number_or_one_a_phase():
    assert dict(recipes.load("default", ["views=4"]).views) == {"head": 4, "partial": 4}
    assert dict(recipes.load("default", ["views.partial=3"]).views) == {"head": 2, "partial": 3}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["mode=hed"], "Did you mean 'head'"),
        (["head.pool=mean"], "avg, max, flatten, own"),
        (["head.hidden=[0]"], "list of widths"),
        (["head.dropout=1"], "below 1"),
        (["head=3"], "head is a mapping"),
        (["layer_decay=0"], "above 0"),
        (["layer_decay=x"], "is a number"),
        (["phases=3"], "phases is a mapping"),
        (["phases.partial.epochs=0"], "phase partial: epochs is at least 1"),
        (["epoch=3"], "Did you mean 'epochs'"),
        (["views.full=3"], "views are for the phases head and partial"),
        (["views=yes"], "whole number"),
        (["alpha=2"], "from 0 to 1"),
        (["temperature=0"], "above 0"),
        (["average_best=0"], "from 1 to 20"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_sentence(changes, words):
    with pytest.raises(UsageError, match=words) as error:
        recipes.load("default", changes)
    assert "\n" not in str(error.value)
    assert "default.yaml" in str(error.value)
