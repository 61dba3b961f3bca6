"""Class names: complete, in official order, and found the way people ask for them."""

import subprocess
import sys

import pytest

from zoo.catalog import labels
from zoo.core.errors import UsageError


def test_imagenet_is_complete_and_in_official_order():
    classes = labels.load("imagenet")
    assert [label.index for label in classes] == list(range(1000))
    assert len({label.wordnet_id for label in classes}) == 1000
    assert classes == tuple(sorted(classes, key=lambda label: label.wordnet_id))
    assert (classes[281].name, classes[281].wordnet_id) == ("tabby", "n02123045")
    assert classes[0].name == "tench"
    assert classes[999].name == "toilet_tissue"


def test_cifar10():
    assert labels.names("cifar10")[:3] == ("airplane", "automobile", "bird")
    assert len(labels.names("cifar10")) == 10
    assert labels.load("cifar10")[0].wordnet_id is None


def test_imagenet_names_are_shown_with_spaces_and_others_as_they_are():
    assert labels.display("prairie_chicken") == "prairie chicken"
    assert labels.display("t-shirt") == "t-shirt"
    assert labels.display("my_own_class") == "my_own_class"


def test_names_pass_through():
    assert labels.names(["a", "b"]) == ("a", "b")


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("tabby", 281),
        ("TABBY", 281),
        ("Egyptian cat", 285),
        ("egyptian_cat", 285),
        ("n02123045", 281),
        (281, 281),
        ("281", 281),
        ("Cardigan", 264),
        ("cardigan", 474),
    ],
)
def test_find(query, index):
    assert labels.find(query).index == index


@pytest.mark.parametrize(("name", "indices"), [("crane", (134, 517)), ("maillot", (638, 639))])
def test_a_name_of_two_classes_names_both(name, indices):
    with pytest.raises(UsageError, match=rf"2 classes '{name}'.*{indices[0]}.*{indices[1]}"):
        labels.find(name)


@pytest.mark.parametrize(
    ("query", "message"),
    [("tabbi", "Did you mean 'tabby"), ("1000", "from 0 to 999"), ("xyzzyx", "no class 'xyzzyx'")],
)
def test_find_says_what_is_wrong(query, message):
    with pytest.raises(UsageError, match=message):
        labels.find(query)


@pytest.mark.parametrize("name", ["nothing", "../labels/imagenet", ""])
def test_unknown_set(name):
    with pytest.raises(UsageError, match="The sets are: cifar10, fashion_mnist, imagenet, mnist"):
        labels.load(name)


def test_nothing_heavy_is_imported():
    code = (
        "import sys, zoo.catalog.labels as l; l.find('tabby')\n"
        "print([m for m in ('numpy', 'yaml', 'keras') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
