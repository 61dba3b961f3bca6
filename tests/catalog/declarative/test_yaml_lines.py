"""YAML with lines: what it reads, what it refuses, and that nothing else ever comes out of it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.catalog.declarative import yaml_lines
from zoo.core.errors import UsageError


def read(text):
    return yaml_lines.parse(text, "net.yaml")


def refused(text, *, line):
    with pytest.raises(UsageError) as error:
        read(text)
    message = str(error.value)
    assert message.startswith(f"net.yaml, line {line}: "), message
    assert "\n" not in message
    return message


def test_values_and_their_lines():
    root = read("a: 1\nb:\n  - x\n  - {c: 0.5}\n")
    assert root.plain == {"a": 1, "b": ["x", {"c": 0.5}]}
    assert root.key_lines == {"a": 1, "b": 2}
    assert [item.line for item in root.value["b"].items] == [3, 4]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-3", -3),
        ("0x10", 16),
        ("1e-4", 1e-4),
        (".5", 0.5),
        ("2.", 2.0),
        ("true", True),
        ("null", None),
        ("", None),
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("2020-01-01", "2020-01-01"),
        ("'1'", "1"),
        ('"true"', "true"),
        ("$width", "$width"),
        ("${2 * width}", "${2 * width}"),
        (".inf", ".inf"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text, value):
    found = read(f"a: {text}\n").plain["a"]
    assert found == value
    assert type(found) is type(value)


def test_an_alias_is_what_it_repeats_and_stands_where_it_stands():
    root = read("a: &x [1, 2]\nb: *x\n")
    assert root.plain == {"a": [1, 2], "b": [1, 2]}
    assert root.value["b"].line == 2


def test_what_is_not_allowed():
    assert "tags such as" in refused("a: !!python/object/apply:os.system [id]\n", line=1)
    assert "tags such as" in refused("a:\n  - !x 1\n", line=2)
    assert "tags such as" in refused("a: !!str 1\n", line=1)
    assert "'a' is given twice, first in line 1" in refused("a: 1\nb: 2\na: 3\n", line=3)
    assert "another document" in refused("a: 1\n---\nb: 2\n", line=2)
    assert "a key is plain text" in refused("? [a]\n: 1\n", line=1)
    assert "a key is plain text" in refused("b: &x 1\n*x : 1\n", line=1)
    assert "a mapping is expected" in refused("- a\n", line=1)
    assert "in what line 1 begins" in refused("a: [1,\nb: 2\n", line=3)
    assert "too large" in refused("a: " + "9" * 5000, line=1)
    assert "too large" in refused("a: 1e999", line=1)


def test_aliases_cannot_grow_without_end():
    text = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30))
    assert "once aliases are expanded" in refused(text, line=6)
    assert "inside what it repeats" in refused("a: &a\n  - *a\n", line=1)
    assert "undefined alias" in refused("a: *b\n", line=1)


@pytest.mark.parametrize("text", ["[" * 100_000, "a: " + "[" * 200_000, "- " * 60_000, "{a: " * 50_000])
def test_nesting_has_an_end(text):
    with pytest.raises(UsageError, match=r"nested more than 40 deep|not YAML"):
        read(text)


def test_files_that_cannot_be_read(tmp_path):
    for name, data in {"big": b"#" * 300_000, "latin": b"a: b\nc: caf\xe9\n", "empty": b""}.items():
        (tmp_path / f"{name}.yaml").write_bytes(data)
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(UsageError, match="larger than the 256 KiB"):
        yaml_lines.read_text(tmp_path / "big.yaml")
    with pytest.raises(UsageError, match="line 2: this is not UTF-8"):
        yaml_lines.read_text(tmp_path / "latin.yaml")
    with pytest.raises(UsageError, match="is not a file"):
        yaml_lines.read_text(tmp_path / "folder.yaml")
    with pytest.raises(UsageError, match="There is no file"):
        yaml_lines.read_text(tmp_path / "none.yaml")
    with pytest.raises(UsageError, match=r"There is no file|cannot be read"):
        yaml_lines.read_text("a\0b.yaml")
    with pytest.raises(UsageError, match="is empty"):
        read("")


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read(yaml_lines.read_text(tmp_path / "a.yaml")).plain == {"a": 1}


def test_messages_name_files_as_short_as_they_can(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert yaml_lines.shown(tmp_path / "x" / "a.yaml") == "x/a.yaml"
    assert yaml_lines.shown(tmp_path.parent / "a.yaml") == str(tmp_path.parent / "a.yaml")


TEXTS = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=12)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(10**15), 10**15), st.floats(-1e9, 1e9), TEXTS)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4))


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_tree_or_a_sentence(text):
    try:
        node = read(text)
    except UsageError as error:
        assert "\n" not in str(error)
    else:
        assert node.size >= 1


@settings(deadline=None)
@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_json_is_read_as_it_is(value):
    assert read(json.dumps(value, ensure_ascii=False)).plain == value
