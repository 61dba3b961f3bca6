"""How good the network is, as a drawing: accuracies with their intervals, and small bars for tables."""

from __future__ import annotations

from typing import Any

from zoo.reports.html.contents import RunReport
from zoo.reports.html.markup import Markup, escaped, tag
from zoo.reports.html.scales import Scale
from zoo.reports.html.svg import WIDTH, box, chart, line, text
from zoo.reports.html.words import baseline, decimals, interval, is_number, percent

_LEFT, _RIGHT, _BELOW = 12, 24, 24
#: The height of one split.
_STEP = 46


def estimates(report: RunReport) -> Markup | None:
    """The accuracy of each split with its interval on a line from 0 to 100 %, and what one has without looking."""
    splits = [name for name in ("val", "test") if is_number(report.metrics.get(name, {}).get("top1"))]
    if not splits:
        return None
    height = _STEP * len(splits) + _BELOW
    across = Scale(0.0, 1.0, _LEFT, WIDTH - _RIGHT)
    floor = height - _BELOW
    quarters = [place / 4 for place in range(5)]
    parts = [text(percent(share, 0), across(share), floor + 16, "middle") for share in quarters]
    usual, note = baseline(report), None
    if usual is not None:
        what, share = usual
        note = tag("p", f"The dashed line is {what}: {percent(share)}.", class_="quiet small")
    for index, split in enumerate(splits):
        known = report.metrics[split]
        digits = decimals(int(known.get("n", 0)))
        low, high = known.get("top1_interval", (known["top1"], known["top1"]))
        said = percent(known["top1"], digits)
        said += f", {interval(known, digits)}" if "top1_interval" in known else ""
        middle = index * _STEP + 34
        parts += [line("grid", across(share), middle - 11, across(share), middle + 12) for share in quarters]
        if usual is not None:
            parts.append(line("usual", across(usual[1]), middle - 11, across(usual[1]), middle + 12))
        parts += [
            text(split, _LEFT, middle - 18, "start", "strong" if split == report.judged else None),
            text(said, WIDTH - _RIGHT, middle - 18, "end"),
            box("range", across(low), middle - 5, max(1.0, across(high) - across(low)), 10, round_=1.5),
            line("point", across(known["top1"]), middle - 8, across(known["top1"]), middle + 8),
        ]
    label = "Top-1 accuracy with its 95\N{NO-BREAK SPACE}% interval"
    return chart(label, *parts, height=height, label=label, note=note)


def bar(share: Any) -> Markup:
    """A small bar of a share from 0 to 1, for a table; nothing where there is no number."""
    if not is_number(share):
        return escaped("")
    # As short as it can be written: there may be thousands of them. Its ground is that of the style sheet.
    return tag("svg", tag("path", d=f"M0 3h{60 * share:.1f}"), class_="bar", viewBox="0 0 60 6")
