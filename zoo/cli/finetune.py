"""``zoo finetune``: a folder of images becomes a classifier."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli import common, training

if TYPE_CHECKING:
    from zoo.training.finetuning.dry_run import Rehearsal


@common.command("finetune")
@common.model_option("Name, NAME:TAG, or a .keras file to begin with; without, the best network that is to be had.")
@training.options
@click.option(
    "--mode",
    type=click.Choice(["auto", "head", "partial", "full", "scratch"]),
    help="What learns; auto without: the head, then as much of the network as suits.",
)
@click.option("--unfreeze-from", metavar="STAGE|LAYER|after:LAYER", help="Where the part that learns begins.")
@click.option("--lr-find", is_flag=True, help="Look for the learning rate of each phase before it.")
@click.option("--check/--no-check", default=True, help="Look for duplicates and leaks first.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, how long it takes and what room; do nothing.")
def command(
    model: str | None, resume: Path | None, output: Path | None, format: str | None, dry_run: bool, **options: Any
) -> int:
    """Make a classifier from a folder of images and a trained network.

    A new head learns first, on what the frozen network makes of the images, which is computed once. Then, with the
    modes partial, full and auto, more of the network learns. What validates best is kept, in one file that every
    command takes for a model: RUN/model.keras. RUN/report.html shows how good it is. Ctrl-C saves and stops; --resume
    goes on exactly there.

    \b
      zoo finetune --dataset photos/
      zoo finetune --dataset photos/ -m resnet50 --mode head --min-val-accuracy 0.9
      zoo finetune --dataset photos/ --unfreeze-from stage4 --time 30m
      zoo finetune --dataset photos/ --dry-run
      zoo finetune --resume runs/mobilenetv2-1
      zoo classify new/ -m runs/mobilenetv2-1/model.keras
    """
    from zoo.catalog import default_model
    from zoo.core.errors import UsageError
    from zoo.training import run as runs
    from zoo.training.finetuning import dry_run as rehearsal
    from zoo.training.finetuning import finetune

    gate, device = options.pop("min_val_accuracy"), options.pop("device")
    with training.watched(offline=options.pop("offline")) as screen:
        if resume is not None:
            training.require_nothing_else()
            outcome = finetune.resume(resume, time_limit=options["time_limit"], device=device, watcher=screen)
        else:
            if options["dataset"] is None:
                raise UsageError("zoo finetune takes --dataset with the images; 'zoo finetune --help' shows examples.")
            if model is None:
                model = default_model.default(shipped=False).spec.name
            settings = _settings(model, device=device or "auto", **options)
            folder = output or runs.next_folder(finetune.short_name(model))
            if dry_run:
                _show(rehearsal.rehearse(settings, folder, screen), format)
                return 0
            screen.note(f"the run goes to {folder}")
            outcome = finetune.start(settings, folder, watcher=screen)
    return training.conclude(outcome, "finetune", format, gate)


def _settings(model: str, *, recipe: str | None, mode: str | None, unfreeze_from: str | None, **options: Any) -> Any:
    from zoo.training.finetuning import recipe as recipes

    def load(changes: list[str], **given: Any) -> Any:
        return recipes.load(recipe or recipes.DEFAULT, changes, mode=mode, unfreeze_from=unfreeze_from, **given)

    return training.settings(model, load, **options)


def _show(found: Rehearsal, format: str | None) -> None:
    """The plan: a row for each phase; sentences on standard error."""
    from zoo.core import output as out

    for sentence in found.sentences:
        common.say(sentence)
    rows: list[dict[str, Any]] = [
        {
            "phase": part.phase,
            "learns_from": part.learns_from,
            "parameters": part.parameters,
            "epochs": part.epochs,
            "steps": part.steps,
            "stored_mb": round(part.stored_bytes / 1e6, 1),
            "feature_seconds": round(part.feature_seconds, 1),
            "training_seconds": round(part.training_seconds, 1),
        }
        for part in found.parts
    ]
    out.write(rows, sys.stdout, out.choose_format(format, sys.stdout), columns=list(rows[0]))
    common.say(f"about {found.seconds:,.0f} seconds in all, and {found.memory_bytes / 1e9:.1f} GB of memory")
