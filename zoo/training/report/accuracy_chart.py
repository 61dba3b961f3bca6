"""A chart of the accuracies with their 95 % intervals."""

from __future__ import annotations

from zoo.reports.html.markup import Markup, tag
from zoo.reports.html.svg import WIDTH, box, chart, line, text
from zoo.reports.numbers import is_number, percent
from zoo.reports.scales import Scale
from zoo.training.report.contents import RunReport
from zoo.training.report.summary import baseline, decimals, interval

_LEFT, _RIGHT, _BELOW = 12, 24, 24
#: The height of one split.
_STEP = 46


def accuracy_chart(report: RunReport) -> Markup | None:
    """The accuracy of each split with its interval from 0 to 100 %, beside the baseline; ``None`` if none is known."""
    splits = [name for name in ("val", "test") if is_number(report.metrics.get(name, {}).get("top1"))]
    if not splits:
        return None
    height = _STEP * len(splits) + _BELOW
    across = Scale(0.0, 1.0, _LEFT, WIDTH - _RIGHT)
    quarters = [place / 4 for place in range(5)]
    parts = [text(percent(share, 0), across(share), height - _BELOW + 16, "middle") for share in quarters]
    usual, note = baseline(report), None
    if usual is not None:
        note = tag("p", f"The dashed line is {usual[0]}: {percent(usual[1])}.", class_="quiet small")
    for index, split in enumerate(splits):
        known = report.metrics[split]
        low, high = known.get("top1_interval") or (known["top1"], known["top1"])
        digits = decimals(known)
        said = ", ".join(filter(None, [percent(known["top1"], digits), interval(known, digits)]))
        middle = index * _STEP + 34
        parts += [line("grid", across(share), middle - 11, across(share), middle + 12) for share in quarters]
        if usual is not None:
            parts.append(line("usual", across(usual[1]), middle - 11, across(usual[1]), middle + 12))
        parts += [
            text(split, _LEFT, middle - 18, "start", "strong" if split == report.evaluated else None),
            text(said, WIDTH - _RIGHT, middle - 18, "end"),
            box("range", across(low), middle - 5, max(1.0, across(high) - across(low)), 10, round_=1.5),
            line("point", across(known["top1"]), middle - 8, across(known["top1"]), middle + 8),
        ]
    label = "Top-1 accuracy with its 95\N{NO-BREAK SPACE}% interval"
    return chart(label, *parts, height=height, label=label, note=note)
