"""Variables and expressions: what they give, and that nothing but arithmetic is ever computed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.catalog.declarative import variables, yaml_lines
from zoo.core.errors import UsageError


def resolve(text, overrides=None, classes=10):
    node = yaml_lines.parse("variables:\n" + text, "net.yaml").value["variables"]
    return variables.resolve(node, overrides or {}, classes, "net.yaml")


def value(expression, **values):
    node = yaml_lines.Node(expression, 7, "net.yaml")
    return variables.substitute(node, values)


def test_variables_depend_on_each_other_in_any_order():
    found = resolve('  b: ${2 * a}\n  a: 3\n  c: $b\n  name: s$a\n  list: [$a, "${a + 1}"]\n  out: $classes\n')
    assert found == {"classes": 10, "b": 6, "a": 3, "c": 6, "name": "s3", "list": (3, 4), "out": 10}


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("${w + 1}", 17),
        ("${w - 1.5}", 14.5),
        ("${w // 3}", 5),
        ("${w / 2}", 8.0),
        ("${2 ** (w // 4)}", 16),
        ("${-w}", -16),
        ("${min(w, 8) + max(1, 2, 3)}", 11),
        ("$w", 16),
        ("${ w }", 16),
        ("conv${w + 1}_$w", "conv17_16"),
        ("costs $$5", "costs $5"),
        ("$flag", True),
        ("is_$flag", "is_true"),
        ("$act", "relu"),
        ("$sizes", (3, 5)),
        ("plain", "plain"),
    ],
)
def test_substitution(expression, result):
    found = value(expression, w=16, flag=True, act="relu", sizes=(3, 5))
    assert found == result
    assert type(found) is type(result)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("$x", "there is no variable 'x'"),
        ("$widht", "there is no variable 'widht'. Did you mean 'width'?"),
        ("${__import__('os').system('id')}", "has more than numbers"),
        ("${w.real}", "has more than numbers"),
        ("${(lambda: 1)()}", "has more than numbers"),
        ("${[1][0]}", "has more than numbers"),
        ("${min(1)}", "has more than numbers"),
        ("${min(*w)}", "has more than numbers|computes with"),
        ("${w % 2}", "has more than numbers"),
        ("${True + 1}", "has more than numbers"),
        ("${1j}", "has more than numbers"),
        ("${'a' * 9}", "has more than numbers"),
        ("${w if w else 1}", "has more than numbers"),
        ("${w := 3}", "is not an expression"),
        ("${1 +}", "is not an expression"),
        ("${}", "is not an expression"),
        ("${9 ** 9 ** 9}", "too large"),
        ("${(-8) ** 0.5}", "too large, or none"),
        ("${10 ** 14 * 1000}", "too large"),
        ("${1e308 * 10}", "too large"),
        ("${1 / 0}", "divides by zero"),
        ("${0 ** -1}", "divides by zero"),
        ("${act + 1}", "computes with act, which is a text"),
        ("${flag + 1}", "computes with flag, which is true or false"),
        ("${sizes * 2}", "computes with sizes, which is a list"),
        ("a$", "neither \\$name nor"),
        ("${w", "neither \\$name nor"),
        ("a$sizes", "puts a list or null into a text"),
        ("${" + "1+" * 200 + "1}", "at most 200 letters"),
    ],
)
def test_what_an_expression_may_not_be(expression, reason):
    with pytest.raises(UsageError, match=reason) as error:
        value(expression, w=16, width=3, act="relu", flag=True, sizes=(3, 5))
    assert str(error.value).startswith("net.yaml, line 7: ")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("  a: $b\n  b: ${c + 1}\n  c: $a\n", 2, "cycle: a → b → c → a"),
        ("  a: $a\n", 2, "cycle: a → a"),
        ("  classes: 3\n", 2, "always there"),
        ("  a-b: 3\n", 2, "not a name"),
        ("  min: 3\n", 2, "not a name"),
        ("  if: 3\n", 2, "not a name"),
        ("  a: {b: 1}\n", 2, "a number, a text"),
        ("  a: 1\n  b: [[1]]\n", 3, "the list b holds"),
        ("  a: [1]\n  b: [$a]\n", 3, "the list b holds"),
        ("  - a\n", 2, "variables is a mapping"),
    ],
)
def test_wrong_variables(text, line, reason):
    with pytest.raises(UsageError, match=reason) as error:
        resolve(text)
    assert str(error.value).startswith(f"net.yaml, line {line}: ")


def test_texts_cannot_grow_without_end():
    text = "  a: xxxxxxxxxx\n" + "".join(f"  a{n}: {f'$a{n - 1}' * 10}\n" for n in range(1, 30)).replace("$a0", "$a")
    with pytest.raises(UsageError, match="more than 200 letters"):
        resolve(text)


def test_long_chains_are_no_recursion():
    assert resolve("".join(f"  a{n}: $a{n + 1}\n" for n in range(2000)) + "  a2000: 1\n")["a0"] == 1


def test_overrides_replace_values_and_what_depends_on_them():
    text = "  width: 16\n  double: ${2 * width}\n  act: relu\n  rate: 0\n  sizes: [1, 2]\n"
    found = resolve(text, {"width": 5, "rate": 0.5, "act": "elu", "sizes": [3]})
    assert (found["width"], found["double"], found["rate"], found["act"], found["sizes"]) == (5, 10, 0.5, "elu", (3,))
    # An override may break a cycle no more than the file may have one, but it may replace a formula.
    assert resolve(text, {"double": 7})["double"] == 7


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        ({"widht": 1}, "has no variable 'widht'. Did you mean 'width"),
        ({"classes": 1}, "set by the number of classes"),
        ({"width": "a"}, "width of net.yaml is a number. Received: 'a'"),
        ({"width": True}, "is a number"),
        ({"act": 3}, "is a text"),
        ({"width": float("nan")}, "out of range"),
        ({"width": 10**20}, "out of range"),
        ({"width": [1]}, "is a number"),
        ({"width": {}}, "is a number, a text"),
        ({"width": object()}, "is a number, a text"),
    ],
)
def test_wrong_overrides(overrides, reason):
    with pytest.raises(UsageError, match=reason):
        resolve("  width: 16\n  act: relu\n", overrides)


def test_assignments():
    assert variables.parse_assignment("width=64") == ("width", 64)
    assert variables.parse_assignment("rate=1e-3") == ("rate", 1e-3)
    assert variables.parse_assignment("act=relu") == ("act", "relu")
    assert variables.parse_assignment("sizes=[3, 5]") == ("sizes", (3, 5))
    assert variables.parse_assignment("x=") == ("x", None)
    for text in ("width", "=3", "a b=3", "x={a: 1}", "x=[[1]]", "x=1\ny: 2", "x=]", "x=!!python/name:os.system"):
        with pytest.raises(UsageError):
            variables.parse_assignment(text)


@settings(deadline=None, max_examples=300)
@given(st.text("$w{}()+-*/ .,0123456789eEjxamin_lbd:[]'\"%", max_size=40))
def test_any_text_is_a_value_or_a_sentence(text):
    try:
        found = value(text, w=16)
    except UsageError as error:
        assert str(error).startswith("net.yaml, line 7: ")
    else:
        assert isinstance(found, int | float | str)
        assert not isinstance(found, int | float) or abs(found) <= 1e15
