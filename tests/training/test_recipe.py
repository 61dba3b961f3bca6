"""Recipes: names, files, changes on the command line, and what is refused."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from zoo.catalog import registry
from zoo.core.errors import UsageError
from zoo.training import recipe as recipes


@pytest.mark.parametrize("name", recipes.available())
def test_every_shipped_recipe_loads_and_comes_back(name):
    recipe = recipes.load(name)
    assert recipe.description.endswith(".")
    assert recipes.from_mapping(yaml.safe_load(yaml.safe_dump(recipe.as_dict()))) == recipe


def test_every_network_names_a_recipe_that_is_there():
    named = {spec.recipe for spec in registry.list_models() if spec.recipe}
    assert named
    assert named <= set(recipes.available())


def test_changes_reach_into_nested_values():
    recipe = recipes.load(
        "cifar", ["augment.cutout=8", "optimizer.momentum=0.8", "learning_rate=1e-3", "schedule.name=linear"], epochs=3
    )
    assert recipe.augment.cutout == 8
    assert recipe.augment.flip == "horizontal"
    assert recipe.optimizer["momentum"] == 0.8
    assert recipe.learning_rate == 1e-3
    assert recipe.schedule.name == "linear"
    assert recipe.epochs == 3


def test_an_optimiser_by_name_forgets_the_arguments_of_another():
    assert dict(recipes.load("cifar", ["optimizer=adam", "optimizer.beta_1=0.8"]).optimizer) == {
        "name": "adam",
        "beta_1": 0.8,
    }


def test_a_folder_of_ones_own_wins(tmp_path, monkeypatch):
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "cifar.yaml").write_text("epochs: 7\n")
    monkeypatch.setenv("ZOO_CONFIG_PATH", str(tmp_path))
    assert recipes.load("cifar").epochs == 7
    assert "lenet5" in recipes.available()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("epoch=3", "Did you mean 'epochs'"),
        ("epochs=0", "at least 1"),
        ("epochs=many", "epochs is a number"),
        ("epochs=1.5", "a whole number"),
        ("loss=crossentropi", "Did you mean 'crossentropy'"),
        ("label_smoothing=1", "below 1"),
        ("augment.flipp=none", "flip"),
        ("precision=float8", "one of auto"),
        ("average=1", "between 0 and 1"),
        ("optimizer=[1]", "a name"),
        ("epochs", "KEY=VALUE"),
        ("epochs=[", "not YAML"),
        ("clip_norm=-1", "above 0"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_sentence(change, words):
    with pytest.raises(UsageError, match=words) as caught:
        recipes.load("default", [change])
    assert "\n" not in str(caught.value)


def test_a_recipe_that_is_not_there_and_one_that_is_no_yaml(tmp_path):
    with pytest.raises(UsageError, match="Did you mean 'lenet5'"):
        recipes.load("lenet")
    with pytest.raises(UsageError, match="There is no file"):
        recipes.load(tmp_path / "none.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("epochs: 3\nlearning_rate: [\n")
    with pytest.raises(UsageError, match=r"broken\.yaml, line \d"):
        recipes.load(broken)
    broken.write_text("- epochs\n")
    with pytest.raises(UsageError, match="a mapping"):
        recipes.load(broken)


@given(
    st.dictionaries(st.text(max_size=12), st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5))
)
def test_any_mapping_is_a_recipe_or_is_refused(values):
    try:
        recipes.from_mapping(values)
    except UsageError as error:
        assert str(error).startswith("recipe: ")
