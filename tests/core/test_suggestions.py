"""Suggestions for a name that does not exist."""

import pytest

from zoo.core.suggestions import did_you_mean


@pytest.mark.parametrize(
    ("name", "names", "count", "hint"),
    [
        ("mean", ["max", "min", "median"], 1, " Did you mean 'median'?"),
        ("RESNET5", ["resnet50", "vgg16"], 1, " Did you mean 'resnet50'?"),
        ("conv", ["conv1", "conv2", "dense"], 3, " Did you mean 'conv2' or 'conv1'?"),
        ("xyz", ["max", "min"], 1, ""),
        (12, ["avg"], 1, ""),
        ("avg", {"avg": object(), "max": object()}, 1, " Did you mean 'avg'?"),
    ],
)
def test_the_nearest_names_are_suggested(name, names, count, hint):
    assert did_you_mean(name, names, count=count) == hint


def test_several_spellings_of_one_name():
    spellings = {"maxpooling2d": "MaxPooling2D", "maxpool2d": "MaxPooling2D"}
    assert did_you_mean("maxpooling", spellings, count=2, shown=spellings) == " Did you mean 'MaxPooling2D'?"
