"""The tables of a report."""

from __future__ import annotations

from collections.abc import Sequence

from zoo.data.checks.findings import Finding
from zoo.evaluation.metrics import METRICS
from zoo.reports.html.markup import Markup, joined, tag
from zoo.reports.html.tables import FILES, heading, number_cell, share_cell, table
from zoo.reports.numbers import number, percent
from zoo.training.report.contents import SPLITS, RunReport
from zoo.training.report.curves import thinned
from zoo.training.report.summary import decimals

#: The maximum of files that are listed of one finding.
PATHS = 20

_COLUMNS = {"epoch": "epoch", "learning_rate": "learning rate", "top1": "top-1", "val_top1": "val top-1"}


def metrics(report: RunReport) -> Markup | None:
    """The metrics of each split."""
    splits = [name for name in SPLITS if report.metrics.get(name)]
    rows = []
    for key, title, as_percent in [("n", "images", False), *((one.key, one.title, one.percent) for one in METRICS)]:
        values = {split: report.metrics[split].get(key) for split in splits}
        if all(value is None for value in values.values()):
            continue
        cells = [
            tag(
                "td",
                percent(value, decimals(report.metrics[split])) if as_percent else number(value),
                class_="num strong" if split == report.evaluated else "num",
            )
            for split, value in values.items()
        ]
        rows.append(tag("tr", tag("th", title, scope="row"), *cells))
    if not rows:
        return None
    return tag("div", table([heading(""), *(heading(split, numeric=True) for split in splits)], rows))


def classes(report: RunReport) -> Markup | None:
    """Images, precision, recall and F1 of each class, the lowest F1 first."""
    evaluated = {str(row["name"]): row for row in report.known.get("per_class", ())}
    names = list(dict.fromkeys([*evaluated, *report.counts]))
    if not names:
        return None
    splits = [split for split in SPLITS if any(split in counts for counts in report.counts.values())]
    # The support repeats the counts, unless some files could not be read.
    support = bool(evaluated) and report.evaluated not in splits
    if evaluated:
        names.sort(
            key=lambda name: (evaluated.get(name, {}).get("f1") is None, evaluated.get(name, {}).get("f1") or 0.0)
        )
    titles = [
        *splits,
        *([report.evaluated or ""] if support else []),
        *(["precision", "recall", "F1"] if evaluated else []),
    ]
    rows = []
    for name in names:
        known = evaluated.get(name, {})
        cells = [number_cell(report.counts.get(name, {}).get(split, 0)) for split in splits]
        cells += [number_cell(known.get("support"))] if support else []
        cells += [share_cell(known.get(key)) for key in ("precision", "recall", "f1")] if evaluated else []
        rows.append(tag("tr", tag("th", name, scope="row"), *cells))
    head = [heading("class"), *(heading(title, numeric=True) for title in titles)]
    return table(head, rows, boxed=True, class_="sortable", data_rows=len(rows))


def history(report: RunReport) -> Markup | None:
    """The history of the training, epoch by epoch."""
    shown = thinned(report.history, report.best_epoch)
    columns = list(dict.fromkeys(key for row in shown for key in row))
    if not columns:
        return None
    rows = [
        tag(
            "tr",
            *(tag("td", number(row.get(key)), class_="num") for key in columns),
            class_="chosen" if row["epoch"] == report.best_epoch else None,
        )
        for row in shown
    ]
    head = [heading(_COLUMNS.get(key, key.replace("_", " ")), numeric=True) for key in columns]
    return table(head, rows, boxed=True)


def findings(found: Sequence[Finding]) -> Markup:
    """The findings of the check of the data, with folded lists of files."""
    items = []
    for finding in found[:FILES]:
        label = tag("span", finding.severity, class_=f"label {finding.severity}")
        text = joined([label, " ", tag("b", finding.kind), " ", finding.text])
        items.append(tag("li", tag("p", text), _files(finding.paths)))
    if len(found) > FILES:
        items.append(tag("li", f"and {len(found) - FILES:,} more"))
    return tag("ul", *items, class_="findings")


def _files(paths: Sequence[str]) -> Markup | None:
    if not paths:
        return None
    items = [tag("li", tag("code", path)) for path in paths[:PATHS]]
    items += [tag("li", f"and {len(paths) - PATHS:,} more")] if len(paths) > PATHS else []
    summary = "1 file" if len(paths) == 1 else f"{len(paths):,} files"
    return tag("details", tag("summary", summary), tag("ul", *items, class_="paths"))
