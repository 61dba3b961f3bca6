"""Markup: well-formed whatever it holds, and every text that went in can be read again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.reports.html.reader import Page
from zoo.reports.html.markup import Markup, escaped, joined, tag


def test_an_element():
    assert tag("p", "a < b", tag("b", "&")) == "<p>a &lt; b<b>&amp;</b></p>"


def test_attributes():
    made = tag("td", "x", class_="num", data_value=3, title='"<', hidden=True, lang=None, open=False)
    assert made == '<td class="num" data-value="3" title="&quot;&lt;" hidden>x</td>'


def test_void_elements_have_no_end():
    assert tag("img", alt="") == '<img alt="">'


def test_what_is_markup_is_not_escaped_again():
    assert joined([tag("b", "&"), None, "&"], ", ") == "<b>&amp;</b>, &amp;"


def test_markup_that_is_added_to_becomes_text_again():
    assert escaped(Markup("<b>") + "x") == "&lt;b&gt;x"


def test_bytes_that_are_no_text_are_shown():
    assert escaped("caf\udce9.jpg") == "caf\\xe9.jpg"
    escaped("\ud800").encode()


def test_control_signs_and_signs_that_turn_a_line_around_are_shown():
    assert escaped("a\nb\x00\x1b\u202egpj.exe") == "a\\nb\\x00\\x1b\\u202egpj.exe"


def test_other_scripts_stay_as_they_are():
    text = "Äpfel 梨 \N{NO-BREAK SPACE}👩\u200d🚀"
    assert escaped(text) == text


@given(st.text(st.characters()), st.text(st.characters()))
def test_any_text_can_be_shown(text, value):
    made = tag("p", text, title=value)
    made.encode()
    page = Page(made)
    assert page.elements == [("p", {"title": escaped_back(value)})]
    assert page.text == escaped_back(text).replace("\N{NO-BREAK SPACE}", " ")


def escaped_back(text):
    """What a reader sees of a text."""
    import html

    return html.unescape(escaped(text))
