"""What the commands that train share: how they are asked, watched and stopped, and how they end."""

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
from zoo.training.progress import Progress, Watcher

if TYPE_CHECKING:
    from zoo.training.job import Outcome

#: What may be said of a run that is gone on with.
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
        raise click.BadParameter(f"A time is written as 90s, 30m or 1h30m. Received: {text}")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _assignment(text: str) -> str:
    """``KEY=VALUE``."""
    if "=" not in text:
        raise click.BadParameter(f"It is written KEY=VALUE. Received: {text}")
    return text


_OPTIONS = (
    click.option("--dataset", metavar="DIR", help="Images: a folder a class, train/ val/ test/ of such, IDX files."),
    click.option(
        "-o", "--output", type=click.Path(path_type=Path), metavar="RUN", help="New folder; runs/NAME-1 else."
    ),
    click.option("--recipe", metavar="NAME|FILE", help="How to train; without, what suits the network."),
    click.option("--epochs", type=click.IntRange(min=1), help="Times that every image is seen."),
    click.option("-b", "--batch-size", type=click.IntRange(min=1), help="Images a step."),
    click.option("--learning-rate", type=click.FloatRange(min=0), help="The highest that the schedule reaches."),
    click.option("--optimizer", metavar="NAME", help="Any optimiser of Keras."),
    click.option(
        "--set",
        "changes",
        type=_assignment,
        metavar="KEY=VALUE",
        multiple=True,
        help="Any value of the recipe: --set augment.cutout=8.",
    ),
    click.option(
        "--var",
        "variables",
        type=_assignment,
        metavar="KEY=VALUE",
        multiple=True,
        help="A variable of the network: --var width=16.",
    ),
    click.option("--input-size", type=click.IntRange(min=1), help="Pixels a side, where not the network's own."),
    click.option("--val-split", type=click.FloatRange(0, 0.9), help="Share split off train where there is no val/."),
    click.option("--val-dir", metavar="DIR", help="Images to validate with, a folder a class."),
    click.option("--test-split", type=click.FloatRange(0, 0.9), default=0.0, help="A share for test/; none without."),
    click.option("--seed", type=int, default=0, show_default=True, help="Of everything that is random."),
    click.option(
        "--time",
        "time_limit",
        type=_duration,
        metavar="TIME",
        help="End after 90s, 30m, 1h30m, the learning rate down by then.",
    ),
    click.option("--resume", type=click.Path(path_type=Path), metavar="RUN", help="Go on with a run that was stopped."),
    click.option("--teacher", metavar="NAME|FILE", help="A network that knows the classes, to learn from as well."),
    click.option("--temperature", type=click.FloatRange(min=0, min_open=True), help="At which the teacher is heard."),
    click.option("--alpha", type=click.FloatRange(0, 1), help="The teacher's part of the loss."),
    click.option("--min-val-accuracy", type=click.FloatRange(0, 1), help="Exit 3 when the result is below."),
    click.option("--tensorboard", is_flag=True, help="Write RUN/tensorboard; needs the extra 'tensorboard'."),
    click.option(
        "--device", metavar="auto|cpu|gpu|gpu:N,…", help="Where to compute; auto without, gpu:0,gpu:1 on both."
    ),
    click.option("--format", type=click.Choice(FORMATS), help="Of the result; table on a terminal, else jsonl."),
)


def options(function: Function) -> Function:
    """Options of data, recipe, time and place that all of them have."""
    for option in reversed((*_OPTIONS, common.offline_option)):
        function = option(function)
    return function


def settings(model: str, load: Callable[..., Any], **options: Any) -> Any:
    """What was asked for.

    Args:
        model: name or file.
        load: makes the recipe of changes, ``KEY=VALUE``, and of values by key.
        **options: of the command.
    """
    from zoo.catalog.declarative.variables import parse_assignment
    from zoo.training.settings import Settings

    variables = dict(parse_assignment(item) for item in options.pop("variables"))
    size = options.pop("input_size")
    given = {key: options.pop(key) for key in ("epochs", "batch_size", "learning_rate", "temperature", "alpha")}
    changes = list(options.pop("changes"))
    if optimizer := options.pop("optimizer"):
        changes.insert(0, f"optimizer={optimizer}")
    if options["teacher"] is None and (given["temperature"] is not None or given["alpha"] is not None):
        raise UsageError("--temperature and --alpha are of a --teacher, and there is none.")
    return Settings(
        model=model,
        recipe=load(changes, **given),
        variables=MappingProxyType(variables),
        input_size=(size, size) if size else None,
        invocation=shlex.join(["zoo", *sys.argv[1:]]),
        **options,
    )


@contextlib.contextmanager
def watched(*, offline: bool | None) -> Iterator[Screen]:
    """Somebody looks on, on standard error, and Ctrl-C saves; with ``offline`` nothing is fetched."""
    if offline:
        os.environ["ZOO_OFFLINE"] = "1"
    with Screen() as screen, _interruptible(screen):
        yield screen


def require_nothing_else() -> None:
    """See that ``--resume`` stands alone.

    Raises:
        UsageError: it comes with what was settled when the run was begun.
    """
    context = click.get_current_context()
    given = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name not in _WITH_RESUME
        and context.get_parameter_source(str(parameter.name)) is click.core.ParameterSource.COMMANDLINE
    ]
    if given:
        raise UsageError(f"--resume goes on with the run as it was begun, so it takes no {', '.join(given)}.")


def conclude(outcome: Outcome, command: str, format: str | None, gate: float | None) -> int:
    """Write the result; the exit status.

    Raises:
        GateError: the accuracy on the validation images is below ``gate``.
    """
    if outcome.status == "stopped":
        common.say(f"stopped in epoch {outcome.epochs + 1}; 'zoo {command} --resume {outcome.run}' goes on from there")
        return common.INTERRUPTED
    _report(outcome, format)
    reached = outcome.metrics.get("val", {}).get("top1")
    if gate is not None and (reached is None or reached < gate):
        got = "there were no validation images" if reached is None else f"it is {reached:.4f}"
        raise GateError(f"The accuracy on the validation images was to be at least {gate:g}, and {got}.")
    return 0


def _report(outcome: Outcome, format: str | None) -> None:
    """One row: where the results are, and how good they are."""
    from zoo.core import output as out

    metrics = outcome.metrics
    row: dict[str, Any] = {"run": str(outcome.run), "epochs": outcome.epochs, "best_epoch": metrics["best_epoch"]}
    for split in ("val", "test"):
        if "top1" in metrics.get(split, {}):
            row |= {f"{split}_top1": round(metrics[split]["top1"], 4), f"{split}_n": metrics[split]["n"]}
    row |= {"seconds": round(sum(metrics["seconds"].values()), 1), "status": outcome.status}
    out.write([row], sys.stdout, out.choose_format(format, sys.stdout), columns=list(row))


class Screen(Watcher):
    """Progress on standard error: a live line on a terminal, otherwise a line an epoch."""

    def __init__(self) -> None:
        """Find out whether somebody looks on."""
        self.training = self.stopping = False
        self._stack = contextlib.ExitStack()
        self._task: Any = None
        quiet = click.get_current_context().ensure_object(dict).get("quiet")
        self._live = sys.stderr.isatty() and not quiet
        self._shown = 0.0

    def __enter__(self) -> Screen:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def reading(self, split: str, done: int, total: int) -> None:
        """So many of the images have been read. There is nothing to save meanwhile, so Ctrl-C ends at once."""
        if self.stopping:
            raise KeyboardInterrupt
        self.training = False
        self._show(f"reading {split}", done, total, "")

    def step(self, progress: Progress) -> None:
        """A step is done."""
        self.training = True
        self._show(f"epoch {progress.epoch}/{progress.epochs}", progress.step, progress.steps, _describe(progress))

    def epoch(self, row: Mapping[str, float], epochs: int, best: bool) -> None:
        """An epoch is done and judged."""
        self.note(_line(row, epochs, best))

    def stop(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return self.stopping

    def note(self, text: str) -> None:
        """A line that stays, above the live one."""
        if self._task is None:
            common.log.info(text)
        else:
            self._bar.console.print(f"zoo: {text}", markup=False, highlight=False, soft_wrap=True)

    def _show(self, title: str, done: int, total: int, rest: str) -> None:
        """Redraw the live line, ten times a second at most."""
        now = time.monotonic()
        if not self._live or (now - self._shown < 0.1 and done < total):
            return
        self._shown = now
        if self._task is None:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

            self._bar = self._stack.enter_context(
                Progress(
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
def _interruptible(screen: Screen) -> Iterator[None]:
    """While steps are made, the first Ctrl-C asks for a stop after the step; a second one ends at once."""

    def ask(number: int, frame: Any) -> None:
        if screen.training and not screen.stopping:
            screen.stopping = True
            common.say("saving; Ctrl-C once more ends without it")
            return
        raise KeyboardInterrupt

    before: Callable[..., Any] | int | None = signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _describe(progress: Progress) -> str:
    values = "  ".join(f"{key} {value:.3f}" for key, value in progress.values.items())
    return f"{values}  {progress.images_per_second:,.0f}/s  {_clock(progress.remaining)} left"


def _line(row: Mapping[str, float], epochs: int, best: bool) -> str:
    names = {"loss": "loss", "top1": "top-1", "val_loss": "val loss", "val_top1": "val top-1"}
    values = ", ".join(f"{name} {row[key]:.4f}" for key, name in names.items() if key in row)
    star = ", the best so far" if best and "val_loss" in row else ""
    return f"epoch {row['epoch']:.0f}/{epochs}: {values}, {row['images_per_second']:,.0f} images/s{star}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
