"""``zoo evaluate``: how good a model is on images with known classes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli import common

if TYPE_CHECKING:
    from zoo.evaluation.result import Evaluation

#: A table shows all classes up to this many, else the worst.
CLASSES, WORST = 30, 15
#: The maximum of pairs and of mistakes in a table.
LISTED = 5


def dataset_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--dataset``, ``--split`` and ``--labels``."""
    labels = "Table folder,label of other class names."
    dataset = "Class folders, parts of such, IDX files, or a table."
    split = "Part to evaluate on.  [default: the first that exists of test, val, train]"
    function = click.option("--labels", type=click.Path(path_type=Path), metavar="FILE", help=labels)(function)
    function = click.option("--split", type=click.Choice(["test", "val", "train", "all"]), help=split)(function)
    return click.option("--dataset", required=True, metavar="DIR", help=dataset)(function)


@common.command("evaluate")
@dataset_options
@common.model_option("Name, NAME:TAG, or a .keras file.", required=True)
@click.option(
    "--tta",
    is_flag=False,
    flag_value="mirror",
    type=click.Choice(["mirror", "ten-crop"]),
    metavar="[mirror|ten-crop]",
    help="Test-time augmentation: average over several views of each image; --tta alone is mirror.",
)
@click.option(
    "--calibrate-on",
    metavar="PART|DIR",
    help="Fit a temperature on this part, or another dataset, and choose the threshold there.",
)
@click.option("--store-temperature", is_flag=True, help="Write the temperature into the .keras file.")
@click.option(
    "--abstain-precision",
    type=click.FloatRange(0, 1, min_open=True),
    metavar="P",
    help="Find the confidence threshold with which a share P of the answers is right.",
)
@click.option("--min-top1", type=click.FloatRange(0, 1), metavar="P", help="Exit 3 if the top-1 accuracy is below P.")
@click.option(
    "--out-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write metrics.json, tables and plots into this folder.",
)
@common.run_options
@common.output_options
def command(
    dataset: str,
    model: str,
    split: str | None,
    labels: Path | None,
    tta: Any,
    calibrate_on: str | None,
    store_temperature: bool,
    abstain_precision: float | None,
    min_top1: float | None,
    out_dir: Path | None,
    device: str,
    engine: str,
    batch_size: int | None,
    offline: bool | None,
    format: str | None,
    output: Path | None,
) -> int:
    """Evaluate a model on images with known classes.

    A dataset is a folder per class; train/, val/ and test/ with such folders; IDX files; or a table: a run's split.csv,
    or columns path and label. Classes are matched by name, WordNet id or index. Unreadable files are listed, and the
    exit status is 1.

    \b
      zoo evaluate --dataset flowers/ -m runs/flowers-1/model.keras --out-dir evaluation/
      zoo evaluate --dataset runs/flowers-1/split.csv -m runs/flowers-1/model.keras --store-temperature
      zoo evaluate --dataset photos/labels.csv -m mobilenetv2 --format json | jq .top1
      zoo evaluate --dataset flowers/ -m best.keras --min-top1 0.9 --abstain-precision 0.99
    """
    import sys

    from zoo.core import output as out
    from zoo.core.errors import GateError
    from zoo.evaluation import evaluate as evaluating
    from zoo.evaluation import files
    from zoo.inference.classify import Classifier

    # One object, not a list of rows.
    format = out.choose_format(format, sys.stdout, output)
    if out_dir is not None:
        files.check(out_dir)
    with common.fetching() as fetched:
        classifier = Classifier(
            model, device=device, engine=engine, batch_size=batch_size, offline=offline, progress=fetched
        )
    if store_temperature:
        evaluating.check_storable(classifier, tta)
        calibrate_on = calibrate_on or "val"
    with common.progress("evaluating") as update:
        evaluation = evaluating.evaluate(
            classifier, dataset, split=split, calibrate_on=calibrate_on, tta=tta, labels=labels, progress=update
        )
    summary = evaluation.summary()
    if abstain_precision is not None:
        summary["abstention"] = evaluation.abstention(abstain_precision)
    if out_dir is not None:
        files.write(evaluation, out_dir, summary)
        common.log.info("wrote %s", out_dir)
    with out.opened(output) as stream:
        if format == "table":
            stream.write(out.printable(_table(summary)))
        elif format == "csv":
            out.write([{**summary, "failed": len(summary["failed"])}], stream, "csv", columns=_columns())
        else:
            stream.write(out.to_json(summary) + "\n")
    if store_temperature:
        common.log.info("stored temperature %g in %s", evaluation.store_temperature(), model)
    failed = len(evaluation.failed)
    if failed:
        common.say(f"{failed} of {failed + _read(evaluation)} could not be read")
    top1 = evaluation.top1
    if min_top1 is not None and (top1 is None or top1 < min_top1):
        got = "no image could be read" if top1 is None else f"{top1:.4f}"
        raise GateError(f"Expected a top-1 accuracy of at least {min_top1:g}. Received: {got}")
    return 1 if failed else 0


def _read(evaluation: Evaluation) -> int:
    """How many images could be read."""
    return len(evaluation.labels) + (len(evaluation.calibration.scored.labels) if evaluation.calibration else 0)


def _columns() -> list[str]:
    """The columns of CSV: what is one number or one word."""
    from zoo.evaluation.metrics import METRICS

    metrics = [key for one in METRICS for key in (one.key, *([f"{one.key}_interval"] if one.interval else ()))]
    return [
        *("model", "dataset", "split", "n", *metrics, "temperature", "calibration", "abstention", "tta", "failed"),
        *("device", "engine", "seconds"),
    ]


def _table(summary: dict[str, Any]) -> str:
    """The result for people, the most important first."""
    from zoo.core import output as out
    from zoo.evaluation.metrics import METRICS

    split = f", {summary['split']}" if summary["split"] else ""
    lines = [f"{summary['model']} on {summary['dataset']}{split}: {summary['n']:,} images", ""]
    for metric in METRICS:
        if (value := summary[metric.key]) is not None:
            low, high = summary.get(f"{metric.key}_interval", (0, 0))
            interval = f"95 % interval {low:.2%} to {high:.2%}" if metric.interval else ""
            lines.append(_line(metric.title, metric.written(value), interval))
    fitted = summary["calibration"]
    if fitted and "ece" in fitted:
        lines.append(
            _line(
                "  calibrated",
                f"{fitted['ece']:.2%}",
                f"temperature {fitted['temperature']:g}, fitted on {fitted['n']:,} images of {fitted['on']}; mean "
                f"confidence {fitted['confidence']:.2%}",
            )
        )
    if summary["n"] and "abstention" in summary:
        lines.append(_abstention(summary["abstention"]))
    tables = []
    rows = summary.get("per_class", [])
    if rows:
        worst = sorted(rows, key=lambda row: (row["f1"], -row["support"]))[:WORST]
        shown, left = (rows, 0) if len(rows) <= CLASSES else (worst, len(rows) - WORST)
        columns = ["name", "precision", "recall", "f1", "support"]
        table = out.aligned([_displayed(row) for row in shown], columns, {"name": "class"})
        tables.append(table + (f"and {left:,} better classes\n" if left else ""))
    if pairs := [_displayed(row) for row in summary.get("most_confused", [])[:LISTED]]:
        tables.append(out.aligned(pairs, ["truth", "predicted", "count"], {"truth": "most confused"}))
    if mistakes := [_displayed(row) for row in summary.get("mistakes", [])[:LISTED]]:
        columns = ["path", "truth", "predicted", "score"]
        tables.append(out.aligned(mistakes, columns, {"path": "most confident mistakes"}))
    if summary["failed"]:
        tables.append(out.aligned(summary["failed"], ["path", "error"], {"path": "unreadable"}))
    return "\n".join([*lines, "", *tables])


def _abstention(found: dict[str, Any] | None) -> str:
    if found is None:
        return _line("threshold", "—", "none reaches the precision")
    low, high = found["precision_interval"]
    right = "nothing is answered" if found["precision"] is None else f"{found['precision']:.2%} right"
    told = f"{found['coverage']:.1%} answered, {right} ({low:.2%} to {high:.2%}); chosen on {found['chosen_on']}"
    return _line("threshold", f"{found['threshold']:.3f}", told)


def _line(title: str, value: str, detail: str) -> str:
    return f"  {title:<17}{value:>8}   {detail}".rstrip()


def _displayed(row: dict[str, Any]) -> dict[str, Any]:
    """A row for people: class names with spaces, shares in per cent, three decimals."""
    from zoo.catalog.labels import display

    found = {key: display(value) if key in ("name", "truth", "predicted") else value for key, value in row.items()}
    if "score" in row:
        found["score"] = f"{row['score']:.1%}"
    return {key: f"{value:.3f}" if isinstance(value, float) else value for key, value in found.items()}
