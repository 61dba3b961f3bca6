"""``zoo evaluate``: how good a network is on images with known classes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli import common

if TYPE_CHECKING:
    from zoo.evaluation.result import Evaluation

#: Up to so many classes a table shows all, of more the worst.
CLASSES, WORST = 30, 15
#: Pairs and mistakes that a table shows.
LISTED = 5

#: The columns of CSV: what is one number or one word.
COLUMNS = (
    *("model", "dataset", "split", "n", "top1", "top1_interval", "top5", "top5_interval", "balanced_accuracy"),
    *("macro_f1", "loss", "ece", "temperature", "calibration", "abstention", "tta", "failed", "device", "engine"),
    "seconds",
)


@common.command("evaluate")
@click.option("--dataset", required=True, metavar="DIR", help="A folder a class, test/ of such, IDX files, or a table.")
@common.model_option("Name, NAME:TAG, or a .keras file.", required=True)
@click.option(
    "--split",
    type=click.Choice(["test", "val", "train", "all"]),
    help="The part that judges; without, the first that there is of test, val and train.",
)
@click.option("--labels", type=click.Path(path_type=Path), metavar="FILE", help="Table folder,label for other names.")
@click.option(
    "--tta",
    is_flag=False,
    flag_value="mirror",
    type=click.Choice(["mirror", "ten-crop"]),
    metavar="[mirror|ten-crop]",
    help="Mean over several views of each image; --tta alone is mirror.",
)
@click.option(
    "--calibrate-on",
    metavar="PART|DIR",
    help="Fit a temperature on this part, or other dataset, and choose the threshold there.",
)
@click.option("--store-temperature", is_flag=True, help="Write the temperature into the .keras file; implies val.")
@click.option(
    "--abstain-precision",
    type=click.FloatRange(0, 1, min_open=True),
    metavar="P",
    help="The threshold with which a share P of the answers is right.",
)
@click.option("--min-top1", type=click.FloatRange(0, 1), metavar="P", help="Exit 3 when the top-1 accuracy is below.")
@click.option(
    "--out-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write metrics.json, predictions.csv, confusion, reliability and mistakes there.",
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
    """Say how good a network is on images with known classes.

    The images are a folder for each class, or train/, val/ and test/ of such folders, or IDX files, or a table: a
    run's split.csv, or columns path and label. Classes are found by name, WordNet id or index. What cannot be read is
    listed, and the exit status is 1.

    \b
      zoo evaluate --dataset flowers/ -m runs/flowers-1/model.keras --out-dir judged/
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

    # One object, and not a list of rows: into a pipe it goes as one line of JSON.
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
    with common.progress("judging") as update:
        evaluation = evaluating.evaluate(
            classifier, dataset, split=split, calibrate_on=calibrate_on, tta=tta, labels=labels, progress=update
        )
    summary = evaluation.summary()
    if abstain_precision is not None:
        summary["abstention"] = evaluation.abstention(abstain_precision)
    if out_dir is not None:
        files.write(evaluation, out_dir, summary)
        common.log.info("images and tables are in %s", out_dir)
    with out.opened(output) as stream:
        if format == "table":
            stream.write(out.printable(_table(evaluation, summary)))
        elif format == "csv":
            out.write([{**summary, "failed": len(summary["failed"])}], stream, "csv", columns=COLUMNS)
        else:
            stream.write(out.to_json(summary) + "\n")
    if store_temperature:
        common.log.info("temperature %g is stored in %s", evaluation.store_temperature(), model)
    failed = len(evaluation.failed)
    if failed:
        common.say(f"{failed} of {failed + _read(evaluation)} could not be read")
    top1 = evaluation.top1
    if min_top1 is not None and (top1 is None or top1 < min_top1):
        got = "no image could be read" if top1 is None else f"it is {top1:.4f}"
        raise GateError(f"The top-1 accuracy was to be at least {min_top1:g}, and {got}.")
    return 1 if failed else 0


def _read(evaluation: Evaluation) -> int:
    """How many images could be read."""
    return len(evaluation.labels) + (len(evaluation.calibration.scored.labels) if evaluation.calibration else 0)


def _table(evaluation: Evaluation, summary: dict[str, Any]) -> str:
    """What a person wants to know, the most important first."""
    from zoo.core import output as out
    from zoo.inference.temperature import apply_temperature

    n = summary["n"]
    split = f", {summary['split']}" if summary["split"] else ""
    lines = [f"{summary['model']} on {summary['dataset']}{split}: {n:,} images", ""]
    if n:
        for key, name in (("top1", "top-1"), ("top5", "top-5")):
            if summary[key] is not None:
                low, high = summary[f"{key}_interval"]
                lines.append(f"  {name:<13}{summary[key]:7.2%}   95 % interval {low:.2%} to {high:.2%}")
        balanced = f"balanced accuracy {summary['balanced_accuracy']:.2%}"
        lines.append(f"  {'macro F1':<13}{summary['macro_f1']:7.3f}   {balanced}")
        sure = evaluation.scores.max(axis=1).mean()
        lines.append(f"  {'calibration':<13}{summary['ece']:7.3f}   {sure:.1%} sure, {summary['top1']:.1%} right")
        fitted = summary["calibration"]
        if fitted and fitted["temperature"]:
            sure = apply_temperature(evaluation.scores, fitted["temperature"]).max(axis=1).mean()
            lines.append(
                f"  {'  with T':<13}{fitted['ece']:7.3f}   temperature {fitted['temperature']:g}, fitted on "
                f"{fitted['n']:,} images of {fitted['on']}: {sure:.1%} sure"
            )
        if "abstention" in summary:
            lines.append(_abstention(summary["abstention"]))
    tables = []
    rows = summary.get("per_class", [])
    if rows:
        # Of many classes those that need looking at.
        worst = sorted(rows, key=lambda row: (row["f1"], -row["support"]))[:WORST]
        shown, left = (rows, 0) if len(rows) <= CLASSES else (worst, len(rows) - WORST)
        cells = [{key: _number(value) for key, value in row.items()} for row in shown]
        table = out.aligned(cells, ["name", "precision", "recall", "f1", "support"], {"name": "class"})
        tables.append(table + (f"and {left:,} better classes\n" if left else ""))
    if pairs := summary.get("most_confused", [])[:LISTED]:
        tables.append(out.aligned(pairs, ["truth", "predicted", "count"], {"truth": "most confused"}))
    if mistakes := [{**row, "score": f"{row['score']:.1%}"} for row in summary.get("mistakes", [])[:LISTED]]:
        tables.append(out.aligned(mistakes, ["path", "truth", "predicted", "score"], {"path": "surest mistakes"}))
    if summary["failed"]:
        tables.append(out.aligned(summary["failed"], ["path", "error"], {"path": "not read"}))
    return "\n".join([*lines, "", *tables])


def _abstention(found: dict[str, Any] | None) -> str:
    if found is None:
        return f"  {'abstaining':<13}      —   no threshold reaches the precision"
    low, high = found["precision_interval"]
    right = "nothing is answered" if found["precision"] is None else f"{found['precision']:.2%} right"
    return (
        f"  {'threshold':<13}{found['threshold']:7.3f}   {found['coverage']:.1%} answered, {right} "
        f"({low:.2%} to {high:.2%}); chosen on {found['chosen_on']}"
    )


def _number(value: Any) -> Any:
    """Three decimals are enough for a person; what is not known stays so."""
    return f"{value:.3f}" if isinstance(value, float) else value
