"""The tables of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zoo.reports.html.contents import SPLITS, Finding, RunReport
from zoo.reports.html.curves import thinned
from zoo.reports.html.estimates import bar
from zoo.reports.html.markup import Markup, joined, tag
from zoo.reports.html.words import decimals, is_number, number, percent

#: A table with more rows than this has a window of its own to be scrolled in.
TALL = 40
#: Files that are listed of one finding, and files and findings of a list.
PATHS, FILES = 20, 200

_FIGURES = (
    ("n", "pictures", number),
    ("top1", "top-1", percent),
    ("top5", "top-5", percent),
    ("balanced_accuracy", "balanced", percent),
    ("macro_f1", "macro F1", percent),
    ("loss", "loss", number),
    ("ece", "calibration error", percent),
)
_COLUMNS = {"epoch": "epoch", "learning_rate": "learning rate", "top1": "top-1", "val_top1": "val top-1"}


def figures(report: RunReport) -> Markup | None:
    """The figures of each split."""
    splits = [name for name in SPLITS if report.metrics.get(name)]
    columns = [column for column in _FIGURES if any(column[0] in report.metrics[split] for split in splits)]
    if not columns:
        return None
    head = tag("tr", tag("th", "", scope="col"), *(tag("th", split, scope="col", class_="num") for split in splits))
    body = []
    for key, title, written in columns:
        cells = []
        for split in splits:
            known = report.metrics[split]
            digits = decimals(int(known.get("n", 0)))
            value = known.get(key)
            said = percent(value, digits) if written is percent else written(value)
            cells.append(tag("td", said, class_="num strong" if split == report.judged else "num"))
        body.append(tag("tr", tag("th", title, scope="row"), *cells))
    return tag("table", tag("thead", head), tag("tbody", *body))


def classes(report: RunReport) -> Markup | None:
    """How many images each class has, and how well it is named; the weakest first."""
    judged = {str(row["name"]): row for row in report.metrics.get(report.judged or "", {}).get("per_class", ())}
    names = list(dict.fromkeys([*judged, *report.counts]))
    if not names:
        return None
    splits = [split for split in SPLITS if any(split in counts for counts in report.counts.values())]
    # The support says the same as the counts, unless some files could not be read.
    support = bool(judged) and report.judged not in splits
    if judged:
        names.sort(key=lambda name: (judged.get(name, {}).get("f1") is None, judged.get(name, {}).get("f1") or 0.0))
    heads = [*splits, *([report.judged or ""] if support else []), *(["precision", "recall", "F1"] if judged else [])]
    head = tag("tr", _head("class", False), *(_head(title, True) for title in heads))
    body = []
    for name in names:
        row = judged.get(name, {})
        cells = [_number(report.counts.get(name, {}).get(split, 0)) for split in splits]
        cells += [_number(row.get("support"))] if support else []
        cells += [_share(row.get(key)) for key in ("precision", "recall", "f1")] if judged else []
        body.append(tag("tr", tag("th", name, scope="row"), *cells))
    return _window(tag("table", tag("thead", head), tag("tbody", *body), class_="sortable", data_rows=len(body)), body)


def history(report: RunReport) -> Markup | None:
    """Every epoch in numbers."""
    rows = thinned(report.history, report.best_epoch)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    if not columns:
        return None
    head = tag(
        "tr", *(tag("th", _COLUMNS.get(key, key.replace("_", " ")), scope="col", class_="num") for key in columns)
    )
    body = [
        tag(
            "tr",
            *(tag("td", number(row.get(key)), class_="num") for key in columns),
            class_="chosen" if row["epoch"] == report.best_epoch else None,
        )
        for row in rows
    ]
    return _window(tag("table", tag("thead", head), tag("tbody", *body)), body)


def facts(pairs: Sequence[tuple[str, Any]]) -> Markup:
    """Names and values."""
    return tag("dl", *(tag("div", tag("dt", str(name)), tag("dd", _plain(value))) for name, value in pairs))


def findings(found: Sequence[Finding]) -> Markup:
    """What the check of the data found, with the files behind a fold."""
    items = []
    for finding in found[:FILES]:
        known = finding.severity if finding.severity in ("error", "warning", "note") else "note"
        label = tag("span", finding.severity, class_=f"label {known}")
        text = joined([label, " ", tag("b", finding.kind), " ", finding.text])
        items.append(tag("li", tag("p", text), _files(finding.paths)))
    if len(found) > FILES:
        items.append(tag("li", f"and {len(found) - FILES:,} more"))
    return tag("ul", *items, class_="findings")


def failed(files: Sequence[tuple[str, str]]) -> Markup:
    """What could not be read, and why."""
    rows = [tag("tr", tag("td", tag("code", path)), tag("td", reason)) for path, reason in files[:FILES]]
    if len(files) > FILES:
        rows.append(tag("tr", tag("td", f"and {len(files) - FILES:,} more"), tag("td")))
    head = tag("tr", tag("th", "file", scope="col"), tag("th", "reason", scope="col"))
    return _window(tag("table", tag("thead", head), tag("tbody", *rows), class_="files"), rows)


def _files(paths: Sequence[str]) -> Markup | None:
    if not paths:
        return None
    items = [tag("li", tag("code", path)) for path in paths[:PATHS]]
    items += [tag("li", f"and {len(paths) - PATHS:,} more")] if len(paths) > PATHS else []
    summary = "1 file" if len(paths) == 1 else f"{len(paths):,} files"
    return tag("details", tag("summary", summary), tag("ul", *items, class_="paths"))


def _window(table: Markup, rows: Sequence[Markup]) -> Markup:
    """A table in a box of its own, which is scrolled where the page is too narrow or the table too long."""
    return tag("div", table, class_="scroll tall" if len(rows) > TALL else "scroll", tabindex="0")


def _head(title: str, numeric: bool) -> Markup:
    return tag("th", title, scope="col", class_="num" if numeric else None)


def _number(value: Any) -> Markup:
    return tag("td", number(value), class_="num", data_value=value if is_number(value) else None)


def _share(value: Any) -> Markup:
    return tag(
        "td",
        bar(value),
        tag("span", percent(value)),
        class_="num",
        data_value=f"{value:.6f}" if is_number(value) else None,
    )


def _plain(value: Any) -> str:
    """A value of a fact: numbers with separators, lists and mappings as people write them."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_plain(inner) for inner in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if is_number(value) else "—" if value is None else str(value)
