"""What all commands share: common options, logging, progress bars, and errors as one sentence with an exit status."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from zoo import engines
from zoo.cli.lazy import CONTEXT
from zoo.core.errors import ZooError
from zoo.core.output import FORMATS

log = logging.getLogger("zoo")

Function = TypeVar("Function", bound=Callable[..., Any])

#: Images that are counted at most, to choose a batch size.
_COUNTED = 50_000

#: Help of ``--format``.
FORMAT_HELP = "If omitted: the suffix of the output file, else table on a terminal and jsonl into a pipe."

#: Exit status after Ctrl-C, as shells have it: 128 + SIGINT.
INTERRUPTED = 130


class Command(click.Command):
    """A command with the options ``-q``, ``-v`` and ``--debug``, whose errors end in one sentence on stderr."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Add the common options to those of the command."""
        super().__init__(*args, **kwargs)
        self.params += [
            click.Option(["-q", "--quiet"], is_flag=True, help="Print only warnings and errors."),
            click.Option(["-v", "--verbose"], is_flag=True, help="Print more."),
            click.Option(["--debug"], is_flag=True, help="Show the traceback of an error."),
        ]

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error becomes one sentence and an exit status."""
        quiet, verbose, debug = (ctx.params.pop(name, False) for name in ("quiet", "verbose", "debug"))
        start_logging(logging.WARNING if quiet else logging.DEBUG if verbose or debug else logging.INFO)
        ctx.ensure_object(dict)["quiet"] = quiet
        try:
            status = super().invoke(ctx)
            sys.stdout.flush()
        except ZooError as error:
            if debug:
                raise
            say(str(error))
            status = error.exit_status
        except (KeyboardInterrupt, click.Abort):
            say("interrupted")
            status = INTERRUPTED
        except BrokenPipeError:
            # The reader of the pipe has closed it. Without this, Python would report it again at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            status = 0
        except MemoryError:
            if debug:
                raise
            say("Out of memory; use a smaller network or a smaller --batch-size.")
            status = 4
        except (click.ClickException, click.exceptions.Exit):
            raise
        except Exception as error:
            if debug:
                raise
            say(f"{type(error).__name__}: {error}; this is a bug in zoo; --debug shows the traceback.")
            status = 70
        ctx.exit(status or 0)


class _Formatter(logging.Formatter):
    """``zoo: text``, with the level for warnings and errors."""

    def format(self, record: logging.LogRecord) -> str:
        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        return f"zoo: {level}{record.getMessage()}"


def start_logging(level: int) -> None:
    """Send the library's log messages to standard error."""
    logger = logging.getLogger("zoo")
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(_Formatter())
        logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False


def say(text: str) -> None:
    """Print one line to standard error."""
    with contextlib.suppress(OSError):
        click.echo(f"zoo: {text}".encode("utf-8", "backslashreplace"), err=True)


def model_option(
    help: str = "Name of a network, NAME:TAG for imported weights, a .keras file, or a .yaml file.", **settings: Any
) -> Callable[[Function], Function]:
    """``-m/--model``."""
    return click.option("-m", "--model", metavar="NAME|FILE", help=help, **settings)


def run_options(function: Function) -> Function:
    """``--device``, ``--engine``, ``--batch-size`` and ``--offline``."""
    for option in (
        offline_option,
        click.option("-b", "--batch-size", type=click.IntRange(min=1), help="Images per batch."),
        click.option(
            "--engine",
            type=click.Choice(engines.CHOICES),
            default="auto",
            help=" ".join(f"{row.name}: {row.help}." for row in engines.ENGINES.values()),
        ),
        device_option,
    ):
        function = option(function)
    return function


def device_option(function: Function) -> Function:
    """``--device``."""
    return click.option("--device", default="auto", metavar="auto|cpu|gpu|gpu:N", help="Device to run on.")(function)


def offline_option(function: Function) -> Function:
    """``--offline``."""
    return click.option("--offline", is_flag=True, default=None, help="Do not use the internet.")(function)


def recursive_option(function: Function) -> Function:
    """``-r/--recursive``."""
    return click.option("-r", "--recursive", is_flag=True, help="Include subfolders.")(function)


def rows_option(function: Function) -> Function:
    """``--format``, for commands whose ``--output`` is not the rows."""
    return click.option(
        "--format",
        type=click.Choice(FORMATS),
        help="Format of standard output. If omitted: table on a terminal, jsonl into a pipe.",
    )(function)


def output_options(function: Function) -> Function:
    """``--format`` and ``-o/--output``."""
    function = click.option(
        "-o",
        "--output",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write to this file instead of standard output.",
    )(function)
    return click.option("--format", type=click.Choice(FORMATS), help=FORMAT_HELP)(function)


def has_at_least(paths: Sequence[str], count: int, *, recursive: bool) -> bool:
    """Whether the paths hold at least ``count`` images; ``False`` where that cannot be found out quickly.

    A list on standard input can be read only once, and counting very many files would take too long.
    """
    from zoo.images.discovery import find

    if "-" in paths or count > _COUNTED:
        return False
    return sum(1 for _ in itertools.islice(find(paths, recursive=recursive, offline=True), count)) == count


def report_nonfinite(paths: Sequence[str], finite: int, consequence: str) -> int:
    """Warn about vectors with NaN or infinite values."""
    if paths:
        say(
            f"{len(paths):,} of {finite + len(paths):,} vectors contain NaN or infinite values and {consequence}; the "
            f"first is that of {paths[0]}"
        )
    return 1 if paths else 0


@contextlib.contextmanager
def progress(description: str, *, total: int | None = None, unit: str = "files") -> Iterator[Callable[..., None]]:
    """A progress bar on standard error, if that is a terminal."""
    context = click.get_current_context(silent=True)
    quiet = bool(context and context.ensure_object(dict).get("quiet"))
    if quiet or not sys.stderr.isatty():
        yield lambda done, total=None: None
        return
    # Importing rich takes a tenth of a second, which is not spent where no bar is shown.
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    counter: Any = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        counter,
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task(description, total=total)

        def update(done: int, total: int | None = None) -> None:
            bar.update(task, completed=done)
            if total is not None:
                bar.update(task, total=total)

        yield update


@contextlib.contextmanager
def fetching() -> Iterator[Callable[[str, int, int | None], None]]:
    """A progress bar for each download, which appears when the download starts."""
    with contextlib.ExitStack() as stack:
        bars: dict[str, Callable[..., None]] = {}

        def update(file: str, done: int, total: int | None) -> None:
            if file not in bars:
                # rich allows one live display at a time.
                stack.close()
                bars[file] = stack.enter_context(progress(file, total=total, unit="bytes"))
            bars[file](done, total)

        yield update


def command(name: str, **settings: Any) -> Callable[[Callable[..., Any]], Command]:
    """A :class:`Command` with ``-h``, whose help shows the defaults of all options."""
    return click.command(name, cls=Command, context_settings=CONTEXT, **settings)
