"""What all commands share: options, logging, progress, and errors as one sentence with an exit status."""

from __future__ import annotations

import contextlib
import functools
import itertools
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from zoo.core.errors import ZooError
from zoo.core.output import FORMATS

log = logging.getLogger("zoo")

Function = TypeVar("Function", bound=Callable[..., Any])

#: Images that are counted, at most.
_COUNTED = 50_000

#: Exit status after Ctrl-C, as shells have it: 128 + SIGINT.
INTERRUPTED = 130


class Command(click.Command):
    """A command with the options ``-q``, ``-v`` and ``--debug``, whose errors end in one sentence on stderr."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Append the common options to those of the command."""
        super().__init__(*args, **kwargs)
        self.params += [
            click.Option(["-q", "--quiet"], is_flag=True, help="Say nothing but warnings and errors."),
            click.Option(["-v", "--verbose"], is_flag=True, help="Say more."),
            click.Option(["--debug"], is_flag=True, help="Show the traceback of an error."),
        ]

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command and turn what goes wrong into a sentence and an exit status."""
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
            # Whoever read our output has seen enough. Python would complain again at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            status = 0
        except MemoryError:
            if debug:
                raise
            say("Memory ran out; use a smaller network or a smaller --batch-size.")
            status = 4
        except (click.ClickException, click.exceptions.Exit):
            raise
        except Exception as error:
            if debug:
                raise
            say(f"{type(error).__name__}: {error}; this should not happen: --debug shows where it did.")
            status = 70
        ctx.exit(status or 0)


class _Formatter(logging.Formatter):
    """``zoo: text`` for people; with the level only where it warns."""

    def format(self, record: logging.LogRecord) -> str:
        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        return f"zoo: {level}{record.getMessage()}"


def start_logging(level: int) -> None:
    """Send the library's log to standard error."""
    logger = logging.getLogger("zoo")
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(_Formatter())
        logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False


def say(text: str) -> None:
    """One line on standard error."""
    with contextlib.suppress(OSError):
        click.echo(f"zoo: {text}".encode("utf-8", "backslashreplace"), err=True)


def model_option(
    help: str = "Name, NAME:TAG, a .keras file, or a .yaml network.", **settings: Any
) -> Callable[[Function], Function]:
    """``-m/--model``."""
    return click.option("-m", "--model", metavar="NAME|FILE", help=help, **settings)


def run_options(function: Function) -> Function:
    """``--device``, ``--engine``, ``--batch-size`` and ``--offline``."""
    for option in (
        offline_option,
        click.option("-b", "--batch-size", type=click.IntRange(min=1), help="Images computed together."),
        click.option(
            "--engine",
            type=click.Choice(["auto", "keras", "openvino"]),
            default="auto",
            show_default=True,
            help="openvino: compiled once, for CPUs. keras: any backend.",
        ),
        device_option,
    ):
        function = option(function)
    return function


def device_option(function: Function) -> Function:
    """``--device``."""
    return click.option(
        "--device", default="auto", show_default=True, metavar="auto|cpu|gpu|gpu:N", help="Where to compute."
    )(function)


def offline_option(function: Function) -> Function:
    """``--offline``."""
    return click.option("--offline", is_flag=True, default=None, help="Never use the network.")(function)


def recursive_option(function: Function) -> Function:
    """``-r/--recursive``."""
    return click.option("-r", "--recursive", is_flag=True, help="Look into folders within folders.")(function)


def rows_option(function: Function) -> Function:
    """``--format``, where ``--output`` is something else than the rows."""
    return click.option("--format", type=click.Choice(FORMATS), help="Of the rows on standard output.")(function)


def output_options(function: Function) -> Function:
    """``--format`` and ``-o/--output``."""
    function = click.option(
        "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file, whole or not at all."
    )(function)
    return click.option(
        "--format",
        type=click.Choice(FORMATS),
        help="Default: table on a terminal, jsonl into a pipe, or by the output file's name.",
    )(function)


def come(paths: Sequence[str], count: int, *, recursive: bool) -> bool:
    """Whether there are so many images in files and folders, as far as that is quickly seen.

    A list on standard input can be read only once, so that nobody knows. It does not pay to count very many.
    """
    from zoo.images.sources import find

    if "-" in paths or count > _COUNTED:
        return False
    return sum(1 for _ in itertools.islice(find(paths, recursive=recursive, offline=True), count)) == count


def unusable(paths: Sequence[str], others: int, fate: str) -> int:
    """Say which vectors are not made of finite numbers.

    Args:
        paths: theirs.
        others: how many are.
        fate: what becomes of them, such as "are in no group".

    Returns:
        The exit status.
    """
    if paths:
        say(
            f"{len(paths):,} of {others + len(paths):,} vectors are not made of finite numbers and {fate}; the first "
            f"is that of {paths[0]}"
        )
    return 1 if paths else 0


@contextlib.contextmanager
def progress(description: str, *, total: int | None = None, unit: str = "files") -> Iterator[Callable[..., None]]:
    """A progress bar on standard error, where that is a terminal.

    Yields:
        ``update(done, total=None)`` with the number done so far.
    """
    context = click.get_current_context(silent=True)
    quiet = bool(context and context.ensure_object(dict).get("quiet"))
    if quiet or not sys.stderr.isatty():
        yield lambda done, total=None: None
        return
    # rich takes a tenth of a second to import, so only a person who looks on pays for it.
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
    """The progress of downloads, as :func:`zoo.pretrained.weights.fetch` reports it; no bar until something is fetched."""
    with contextlib.ExitStack() as stack:
        bars: dict[str, Callable[..., None]] = {}

        def update(file: str, done: int, total: int | None) -> None:
            if file not in bars:
                # One bar at a time: a terminal has room for one live display.
                stack.close()
                bars[file] = stack.enter_context(progress(file, total=total, unit="bytes"))
            bars[file](done, total)

        yield update


def command(name: str, **settings: Any) -> Callable[[Callable[..., Any]], Command]:
    """A click command of the class above, with ``-h``."""
    return functools.partial(
        click.command,
        name,
        cls=Command,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        **settings,
    )()
