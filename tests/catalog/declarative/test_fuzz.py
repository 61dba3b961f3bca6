"""Whatever stands in a file, it gives a spec or one sentence, and never any other error."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.catalog import declarative
from zoo.catalog.declarative import heading, unroll, variables, yaml_lines
from zoo.core.errors import UsageError
from zoo.core.spec import ModelSpec

LAYERS = [
    "Conv2D",
    "Dense",
    "Flatten",
    "ReLU",
    "MaxPooling2D",
    "Add",
    "Dropout",
    "Lambda",
    "MultiHeadAttention",
    "Nope",
]
KEYS = [
    *heading.KEYS,
    *LAYERS,
    *unroll.CONSTRUCTS,
    *("layers", "shortcut", "merge", "name", "inputs", "branches", "times", "index", "filters", "kernel_size", "units"),
    *("activation", "padding", "kernel_regularizer", "L2", "l2", "order", "mean", "std", "policy", "width", "layer"),
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 40),
    st.floats(allow_nan=False, allow_infinity=False, width=16),
    st.sampled_from([*LAYERS, "a", "b", "input", "add", "relu", "softmax", "same", "grey", "he_normal", "s$i"]),
    st.sampled_from(["$width", "${width * 2}", "${2 ** i}", "$classes", "$", "${", "$$", "${1 / 0}", "${width ** 99}"]),
    st.text(max_size=6),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=20,
)
WIDTHS = st.sampled_from([4, "$width", "${2 * width}", "${width // 2}"])
PLAIN = st.one_of(
    st.sampled_from(["ReLU", "BatchNormalization", "MaxPooling2D", "Flatten", "LocalResponseNormalization"]),
    st.builds(
        lambda filters, padding: {"Conv2D": {"filters": filters, "kernel_size": 3, "padding": padding}},
        WIDTHS,
        st.sampled_from(["same", "valid"]),
    ),
    st.builds(lambda width: {"Dense": width}, WIDTHS),
    st.builds(lambda name: {"ELU": None, "name": name}, st.sampled_from("abcdefgh")),
    st.builds(
        lambda names: {"Add": {"inputs": names}}, st.lists(st.sampled_from(["a", "input"]), min_size=2, max_size=3)
    ),
)


def constructs(inner):
    """Nested constructs, most of them well formed."""
    items = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.builds(lambda layers: {"residual": layers}, items),
        st.builds(lambda layers, shortcut: {"residual": {"layers": layers, "shortcut": shortcut}}, items, items),
        st.builds(
            lambda branches, merge: {"parallel": {"branches": branches, "merge": merge}},
            st.lists(items, min_size=2, max_size=3),
            st.sampled_from(["add", "concatenate", "maximum"]),
        ),
        st.builds(lambda times, layers: {"repeat": {"times": times, "layers": layers}}, st.integers(0, 3), items),
        st.builds(
            lambda name, layers: {"stage": {"name": name, "layers": layers}},
            st.sampled_from(["s", "t", "u", "v$width"]),
            items,
        ),
    )


#: Items that mostly make sense, and some that do not.
ITEMS = st.recursive(PLAIN, constructs, max_leaves=8)
HEADS = st.sampled_from(
    [[], [{"head": ["Flatten", {"Dense": ["$classes", "softmax"]}]}], [{"head": ["GlobalAveragePooling2D"]}]]
)
GOOD = st.builds(
    lambda classes, layers, head, width: {
        "input": 8,
        "classes": classes,
        "variables": {"width": width},
        "layers": [*layers, *head],
    },
    st.sampled_from([0, 10]),
    st.lists(ITEMS, max_size=4),
    HEADS,
    st.sampled_from([2, 4, 8]),
)
ODD = st.fixed_dictionaries(
    {"input": st.just(28), "classes": st.sampled_from([0, 10]), "layers": st.lists(ITEMS | VALUES, max_size=5)},
    optional={"variables": st.dictionaries(st.sampled_from(["width", "i", "n"]), SCALARS), "preprocessing": VALUES},
)
ANY = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), VALUES, max_size=6)


def check(text):
    try:
        spec = declarative.parse(text, "net.yaml")
    except UsageError as error:
        message = str(error)
        assert message.startswith("net.yaml")
        assert message.isprintable()
        assert len(message) < 500
    else:
        assert isinstance(spec, ModelSpec)
        assert isinstance(json.dumps(dict(spec.arguments)), str)


@settings(deadline=None, max_examples=200)
@given(st.text())
def test_any_text(text):
    check(text)


@settings(deadline=None, max_examples=200)
@given(ANY)
def test_any_document(document):
    check(json.dumps(document))


@settings(deadline=None, max_examples=200)
@given(GOOD | ODD)
def test_documents_that_look_like_networks(document):
    check(json.dumps(document))


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=200))
def test_any_bytes(tmp_path_factory, data):
    file = tmp_path_factory.mktemp("fuzz") / "net.yaml"
    file.write_bytes(data)
    for read in (declarative.load, declarative.load_heading):
        try:
            read(file)
        except UsageError as error:
            assert "net.yaml" in str(error)


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(st.sampled_from("abcd"), SCALARS, max_size=4))
def test_any_variables(entries):
    try:
        root = yaml_lines.parse(json.dumps({"variables": entries}), "net.yaml")
        values = variables.resolve(root.value["variables"], {}, 10, "net.yaml")
    except UsageError as error:
        assert str(error).startswith("net.yaml, line 1: ")
    else:
        assert values.keys() == {*entries, "classes"}
