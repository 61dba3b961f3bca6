"""What ``zoo train`` and ``zoo finetune`` share: options, progress, Ctrl-C and the result."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

from zoo.cli import common
from zoo.cli.common import Function
from zoo.core.errors import GateError, UsageError
from zoo.core.output import FORMATS
from zoo.training.callbacks.base import Callback, EpochEnd, StepProgress

if TYPE_CHECKING:
    from zoo.training.job import Outcome

#: Options that go with ``--resume``.
_WITH_RESUME = frozenset(
    {"offline", "resume", "time_limit", "device", "min_val_accuracy", "format", "quiet", "verbose", "debug"}
)

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _duration(text: str) -> float:
    """Seconds of ``90s``, ``30m``, ``2h``, ``1h30m``, or a number of seconds."""
    value = text.strip().lower()
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", value)
    if not parts or "".join(number + unit for number, unit in parts) != value:
        raise click.BadParameter(f"Expected a time such as 90s, 30m or 1h30m. Received: {text}")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _assignment(text: str) -> str:
    if "=" not in text:
        raise click.BadParameter(f"Expected KEY=VALUE. Received: {text}")
    return text


_MANY: dict[str, Any] = {"type": _assignment, "multiple": True}
_FOLDER = click.Path(path_type=Path)
_SHARE = click.FloatRange(0, 0.9)
_SUITABLE = "what suits the network"

_OPTIONS = (
    click.option("--dataset", metavar="DIR", help="Images: class folders, train/ val/ test/, a table, IDX files."),
    click.option("-o", "--output", type=_FOLDER, metavar="RUN", show_default="runs/NAME-1", help="New run folder."),
    click.option("--recipe", metavar="NAME|FILE", show_default=_SUITABLE, help="How to train."),
    click.option("--epochs", type=click.IntRange(min=1), help="Passes over the training images."),
    click.option("-b", "--batch-size", type=click.IntRange(min=1), help="Images per step."),
    click.option("--learning-rate", type=click.FloatRange(min=0), help="Peak learning rate of the schedule."),
    click.option("--optimizer", metavar="NAME", help="Any optimiser of Keras."),
    click.option("--set", "changes", metavar="KEY=VALUE", help="Any value of the recipe: augment.cutout=8.", **_MANY),
    click.option("--var", "variables", metavar="KEY=VALUE", help="A variable of the network: width=16.", **_MANY),
    click.option("--input-size", type=click.IntRange(min=1), help="Other height and width than the network's."),
    click.option("--val-split", type=_SHARE, help="Share for validation, if there is no val/."),
    click.option("--val-dir", metavar="DIR", help="Separate validation images, a folder per class."),
    click.option("--test-split", type=_SHARE, default=0.0, show_default=True, help="Share for a test, if no test/."),
    click.option("--seed", type=int, default=0, show_default=True, help="Random seed."),
    click.option("--time", "time_limit", type=_duration, metavar="TIME", help="Time limit: 90s, 30m or 1h30m."),
    click.option("--resume", type=_FOLDER, metavar="RUN", help="Resume a run that was stopped."),
    click.option("--teacher", metavar="NAME|FILE", help="Teacher for distillation, which knows the classes."),
    click.option("--temperature", type=click.FloatRange(min=0, min_open=True), help="Distillation temperature."),
    click.option("--alpha", type=click.FloatRange(0, 1), help="Weight of the teacher in the loss."),
    click.option("--min-val-accuracy", type=click.FloatRange(0, 1), help="Exit with 3 if top-1 on val is below."),
    click.option("--tensorboard", is_flag=True, help="Write RUN/tensorboard; needs the extra 'tensorboard'."),
    click.option("--device", metavar="auto|cpu|gpu|gpu:N,…", show_default="auto", help="Or several: gpu:0,gpu:1."),
    click.option("--format", type=click.Choice(FORMATS), help="Default: table on a terminal, else jsonl."),
)


def options(function: Function) -> Function:
    """Options of data, recipe, time and place that both commands have."""
    for option in reversed((*_OPTIONS, common.offline_option)):
        function = option(function)
    return function


def settings(model: str, load: Callable[..., Any], *, device: str | None, **options: Any) -> Any:
    """The settings of a new run."""
    from zoo.catalog.declarative.variables import parse_assignment
    from zoo.training.settings import Settings

    variables = dict(parse_assignment(item) for item in options.pop("variables"))
    size = options.pop("input_size")
    given = {key: options.pop(key) for key in ("epochs", "batch_size", "learning_rate", "temperature", "alpha")}
    changes = list(options.pop("changes"))
    if optimizer := options.pop("optimizer"):
        changes.insert(0, f"optimizer={optimizer}")
    if options["teacher"] is None and (given["temperature"] is not None or given["alpha"] is not None):
        raise UsageError("--temperature and --alpha go with a --teacher; none was given.")
    return Settings(
        model=model,
        recipe=load(changes, **given),
        variables=MappingProxyType(variables),
        input_size=(size, size) if size else None,
        invocation=shlex.join(["zoo", *sys.argv[1:]]),
        device=device or "auto",
        **options,
    )


def run(
    command: str,
    start: Callable[[Progress], Outcome | None],
    resume: Callable[..., Outcome],
    folder: Path | None,
    format: str | None,
    options: dict[str, Any],
) -> int:
    """Start a run, or resume the one in ``folder``, show its progress and write the result; the exit status."""
    if options.pop("offline"):
        os.environ["ZOO_OFFLINE"] = "1"
    gate = options.pop("min_val_accuracy")
    with Progress() as progress, _interruptible(progress):
        if folder is None:
            outcome = start(progress)
        else:
            _require_nothing_else()
            outcome = resume(folder, time_limit=options["time_limit"], device=options["device"], callbacks=[progress])
    if outcome is None:
        return 0
    if outcome.status == "stopped":
        common.say(f"stopped in epoch {outcome.epochs + 1}; resume with 'zoo {command} --resume {outcome.run}'")
        return common.INTERRUPTED
    _write_result(outcome, format)
    reached = outcome.metrics.get("val", {}).get("top1")
    if gate is not None and (reached is None or reached < gate):
        got = "there were no validation images" if reached is None else f"it is {reached:.4f}"
        raise GateError(f"The accuracy on the validation images was to be at least {gate:g}, and {got}.")
    return 0


def _require_nothing_else() -> None:
    context = click.get_current_context()
    given = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name not in _WITH_RESUME
        and context.get_parameter_source(str(parameter.name)) is click.core.ParameterSource.COMMANDLINE
    ]
    if given:
        raise UsageError(f"--resume continues a run with its own settings, so it takes no {', '.join(given)}.")


def _write_result(outcome: Outcome, format: str | None) -> None:
    """One row: the run folder and its accuracy."""
    from zoo.core import output as out

    metrics = outcome.metrics
    row: dict[str, Any] = {"run": str(outcome.run), "epochs": outcome.epochs, "best_epoch": metrics["best_epoch"]}
    for split in ("val", "test"):
        if "top1" in metrics.get(split, {}):
            row |= {f"{split}_top1": round(metrics[split]["top1"], 4), f"{split}_n": metrics[split]["n"]}
    row |= {"seconds": round(sum(metrics["seconds"].values()), 1), "status": outcome.status}
    out.write([row], sys.stdout, out.choose_format(format, sys.stdout), columns=list(row))


class Progress(Callback):
    """Progress on standard error: a live line on a terminal, otherwise a line per epoch."""

    def __init__(self) -> None:
        """Find out whether standard error is a terminal."""
        self.training = self.stopping = False
        self._stack = contextlib.ExitStack()
        self._task: Any = None
        quiet = click.get_current_context().ensure_object(dict).get("quiet")
        self._live = sys.stderr.isatty() and not quiet
        self._shown = 0.0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def on_message(self, text: str) -> None:
        """Write a line that stays, above the live one."""
        if self._task is None:
            common.log.info(text)
        else:
            self._bar.console.print(f"zoo: {text}", markup=False, highlight=False, soft_wrap=True)

    def on_data_read(self, split: str, done: int, total: int) -> None:
        """Show how many images have been read. Meanwhile there is nothing to save, so Ctrl-C ends at once."""
        if self.stopping:
            raise KeyboardInterrupt
        self.training = False
        self._show(f"reading {split}", done, total, "")

    def on_train_batch_end(self, progress: StepProgress) -> None:
        """Show the loss, the speed and the time left."""
        self.training = True
        values = "  ".join(f"{key} {value:.3f}" for key, value in progress.values.items())
        rest = f"{values}  {progress.images_per_second:,.0f}/s  {_clock(progress.remaining)} left"
        self._show(f"epoch {progress.epoch}/{progress.epochs}", progress.step, progress.steps, rest)

    def should_stop(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return self.stopping

    def on_epoch_end(self, epoch: EpochEnd) -> None:
        """Write a line with the metrics of the epoch."""
        row: Mapping[str, float] = epoch.row
        names = {"loss": "loss", "top1": "top-1", "val_loss": "val loss", "val_top1": "val top-1"}
        values = ", ".join(f"{name} {row[key]:.4f}" for key, name in names.items() if key in row)
        best = ", the best so far" if epoch.is_best and "val_loss" in row else ""
        speed = f"{row['images_per_second']:,.0f} images/s"
        self.on_message(f"epoch {row['epoch']:.0f}/{epoch.epochs}: {values}, {speed}{best}")

    def _show(self, title: str, done: int, total: int, rest: str) -> None:
        """Redraw the live line, at most ten times a second."""
        now = time.monotonic()
        if not self._live or (now - self._shown < 0.1 and done < total):
            return
        self._shown = now
        if self._task is None:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
            from rich.progress import Progress as Bar

            self._bar = self._stack.enter_context(
                Bar(
                    TextColumn("{task.description}"),
                    BarColumn(bar_width=20),
                    MofNCompleteColumn(),
                    TextColumn("{task.fields[rest]}"),
                    console=Console(stderr=True),
                    transient=True,
                )
            )
            self._task = self._bar.add_task(title, total=total, rest=rest)
        self._bar.update(self._task, description=title, completed=done, total=total, rest=rest)


@contextlib.contextmanager
def _interruptible(progress: Progress) -> Iterator[None]:
    """In training, the first Ctrl-C asks for a stop after the step; a second one ends at once."""

    def ask(number: int, frame: Any) -> None:
        if progress.training and not progress.stopping:
            progress.stopping = True
            common.say("saving; press Ctrl-C again to end without saving")
            return
        raise KeyboardInterrupt

    before: Callable[..., Any] | int | None = signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
