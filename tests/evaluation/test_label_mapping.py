"""Names of folders and names of outputs: the right ones are found, and no wrong one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.catalog import labels
from zoo.core.errors import UsageError
from zoo.evaluation import label_mapping

IMAGENET = labels.load("imagenet")
DIGITS = labels.load("mnist")


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("tench", 0),
        ("n01440764", 0),
        ("0", 0),
        ("281", 281),
        ("0281", 281),
        ("tabby", 281),
        ("Great White-Shark", 2),
        ("n02085620-Chihuahua", 151),
        # One is a dog and one is worn.
        ("Cardigan", 264),
        ("cardigan", 474),
        ("n02012849", 134),
    ],
)
def test_a_class_is_found_by_name_id_or_index(name, index):
    assert label_mapping.match([name], IMAGENET).tolist() == [index]


def test_numbers_that_are_taken_for_indices_are_said(caplog):
    with caplog.at_level("INFO", "zoo"):
        label_mapping.match(["0", "281"], IMAGENET)
        assert "0 is tench" in caplog.text
        caplog.clear()
        label_mapping.match(["tench", "n02123045"], IMAGENET)
        label_mapping.match(["3", "1"], DIGITS)
        assert not caplog.records


def test_digits_are_names_where_the_network_tells_digits_apart():
    ones = [labels.Label(index, name) for index, name in enumerate(["1", "2", "3"])]
    assert label_mapping.match(["3", "1"], ones).tolist() == [2, 0]
    with pytest.raises(UsageError, match="'0'"):
        label_mapping.match(["0"], ones)
    assert label_mapping.match(["7", "07"], DIGITS, mapping={"07": "7"}).tolist() == [7, 7]


def test_all_unknown_classes_are_in_one_sentence_with_the_nearest():
    with pytest.raises(UsageError) as caught:
        label_mapping.match(["tench", "tabbie", "zebraa"], IMAGENET, dataset="photos", model="net")
    text = str(caught.value)
    assert "'tabbie', 'zebraa'" in text and "'tench'" not in text
    assert "tabby" in text and "zebra" in text and "photos" in text and "net" in text and "--labels" in text
    with pytest.raises(UsageError, match="and 7 more"):
        label_mapping.match([f"xx{number}x" for number in range(10)], IMAGENET)


def test_a_name_of_two_classes_is_not_guessed():
    with pytest.raises(UsageError, match=r"134 \(n02012849\) and 517 \(n03126707\)"):
        label_mapping.match(["crane"], IMAGENET)
    assert label_mapping.match(["crane"], IMAGENET, mapping={"crane": "517"}).tolist() == [517]


def test_outputs_get_names_that_tell_them_apart():
    names = label_mapping.unique_names(IMAGENET)
    assert len(set(names)) == 1000
    assert names[134] == "crane n02012849" and names[0] == "tench"


def test_without_names_the_order_or_the_number_counts():
    assert label_mapping.by_order(["cat", "dog"], 2, dataset="d", model="m").tolist() == [0, 1]
    assert label_mapping.by_order(["10", "2"], 20, dataset="d", model="m").tolist() == [10, 2]
    with pytest.raises(UsageError, match="5 outputs without names, and d has 2 classes"):
        label_mapping.by_order(["cat", "dog"], 5, dataset="d", model="m")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=12), max_size=5))
def test_any_folder_is_matched_or_refused(names):
    try:
        found = label_mapping.match(names, IMAGENET)
    except UsageError:
        return
    assert len(found) == len(names) and all(0 <= index < 1000 for index in found)


def test_a_number_of_thousands_of_digits_is_no_class():
    with pytest.raises(UsageError):
        label_mapping.match(["9" * 5000], IMAGENET)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("folder,name\na,b\n", "no column 'label'"),
        ("folder,label\na,\n", "line 2"),
        ("folder,label\na,b\na,c\n", "line 3"),
    ],
)
def test_a_wrong_table_is_one_sentence(tmp_path, text, words):
    (tmp_path / "map.csv").write_text(text)
    with pytest.raises(UsageError, match=words):
        label_mapping.read_mapping(tmp_path / "map.csv")


def test_a_table_says_what_folders_are(tmp_path):
    (tmp_path / "map.csv").write_text("\ufefffolder,label\nKätzchen,tabby\npuppy , beagle\n")
    assert label_mapping.read_mapping(tmp_path / "map.csv") == {"Kätzchen": "tabby", "puppy": "beagle"}
    with pytest.raises(UsageError, match="no such file"):
        label_mapping.read_mapping(tmp_path / "none.csv")
