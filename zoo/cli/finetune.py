"""``zoo finetune``: train a classifier from a folder of images and a pretrained network."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli import common, training

if TYPE_CHECKING:
    from zoo.training.finetuning.dry_run import DryRun


@common.command("finetune")
@common.model_option(
    "Network to start from: a name, NAME:TAG, or a .keras file.",
    show_default="the best network whose weights are available",
)
@training.options
@click.option(
    "--mode",
    type=click.Choice(["auto", "head", "partial", "full", "scratch"]),
    show_default="auto",
    help="What is trained; auto: the head, then as much of the network as suits the images.",
)
@click.option(
    "--unfreeze-from", metavar="STAGE|LAYER|after:LAYER", help="First stage or layer that is trained with the head."
)
@click.option("--lr-find", is_flag=True, help="Find the peak learning rate of each phase first.")
@click.option("--check/--no-check", default=True, show_default=True, help="Look for duplicates and leaks first.")
@click.option("--dry-run", is_flag=True, help="Show the plan, its time, disk space and memory; train nothing.")
def command(
    model: str | None, resume: Path | None, output: Path | None, format: str | None, dry_run: bool, **options: Any
) -> int:
    """Train a classifier for your own classes from a pretrained network.

    A new head is trained first, on the outputs of the frozen network, which are computed once. In the modes partial,
    full and auto more of the network is trained after it. What validates best is kept in one file that every command
    takes as a model, RUN/model.keras; RUN/report.html shows how good it is. Ctrl-C saves and stops; --resume continues
    exactly there.

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
    from zoo.training.finetuning import finetune

    def start(progress: training.Progress) -> Any:
        if options["dataset"] is None:
            raise UsageError("zoo finetune takes --dataset with the images; 'zoo finetune --help' shows examples.")
        name = model or default_model.default(shipped=False).spec.name
        settings = _settings(name, **options)
        folder = output or runs.next_folder(finetune.short_name(name))
        if dry_run:
            from zoo.training.finetuning import dry_run as estimate

            _show(estimate.dry_run(settings, folder, [progress]), format)
            return None
        progress.on_message(f"the run goes to {folder}")
        return finetune.start(settings, folder, callbacks=[progress])

    return training.run("finetune", start, finetune.resume, resume, format, options)


def _settings(model: str, *, recipe: str | None, mode: str | None, unfreeze_from: str | None, **options: Any) -> Any:
    from zoo.training.finetuning import recipe as recipes

    def load(changes: list[str], **given: Any) -> Any:
        return recipes.load(recipe or recipes.DEFAULT, changes, mode=mode, unfreeze_from=unfreeze_from, **given)

    return training.settings(model, load, **options)


def _show(found: DryRun, format: str | None) -> None:
    """A row for each phase; sentences on standard error."""
    from zoo.core import output as out

    for sentence in found.sentences:
        common.say(sentence)
    out.write(found.phases, sys.stdout, out.choose_format(format, sys.stdout), columns=list(found.phases[0]))
    common.say(f"about {found.seconds:,.0f} seconds in all, and {found.memory_bytes / 1e9:.1f} GB of memory")
