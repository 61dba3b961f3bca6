"""``zoo classify``: image and video classification."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from zoo.cli import common

#: Lines of a video's timeline on a terminal at most.
_SEGMENTS = 20


@common.command("classify")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@common.model_option("Name, NAME:TAG, or a .keras file; default: the best network that is available.")
@click.option("--top", type=click.IntRange(min=1), default=5, help="Classes to show.")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    default=0.0,
    metavar="P",
    help="Label an image 'unknown' if its best class has a probability below P.",
)
@common.recursive_option
@click.option("--every", metavar="TIME", help="Classify videos too: a frame every 1s, 500ms, 2m, or 30f (frames).")
@common.run_options
@common.output_options
def command(
    paths: tuple[str, ...],
    model: str | None,
    top: int,
    threshold: float,
    recursive: bool,
    every: str | None,
    device: str,
    engine: str,
    batch_size: int | None,
    offline: bool | None,
    format: str | None,
    output: Path | None,
) -> int:
    """Classify images and videos.

    A PATH is a file, a folder, a glob in quotes ('photos/*.jpg'), a URL, or - for a list of paths on standard input.
    Each image gives one row, in the order given: its most probable classes, or why it could not be read (then the exit
    status is 1, and all others are classified). With --every, a video gives one row too.

    \b
      zoo classify photo.jpg
      zoo classify photos/ -m resnet50 --top 1 --format csv -o answers.csv
      find . -name '*.png' | zoo classify - | jq -r '.predictions[0].label'
      zoo classify photo.jpg --threshold 0.5
      zoo classify clip.mp4 --every 1s
    """
    import sys

    from zoo.core import output as out
    from zoo.images.discovery import find
    from zoo.images.frames import expand
    from zoo.images.video.times import Every
    from zoo.inference.classify import Classifier, Result

    moments = None if every is None else Every.parse(every)
    format = out.choose_format(format, sys.stdout, output)
    with common.fetching() as fetched:
        classifier = Classifier(
            model, device=device, engine=engine, batch_size=batch_size, offline=offline, progress=fetched
        )
    classifier.at_least = functools.partial(common.has_at_least, paths, recursive=recursive)
    found = expand(find(paths, recursive=recursive, offline=offline, videos=moments is not None), moments)
    first = list(itertools.islice(found, 2))
    # A single image is run for latency; of many, only those being processed are in memory.
    images: Any = first if len(first) < 2 else itertools.chain(first, found)

    report = out.Report()
    with common.progress("classifying") as update, out.opened(output) as stream:
        if moments and len(first) > 1:
            # A long video has only one row, so progress counts its frames.
            images = _counted(images, update)

        def rows() -> Iterator[dict[str, Any]]:
            for result in classifier.stream(images, top=top, threshold=threshold):
                if report.done + report.failed == 0:
                    common.log.info(
                        "%s on %s with %s", classifier.spec.name, classifier.engine.device, classifier.engine.name
                    )
                report.add(ok=result.error is None)
                if not moments:
                    update(report.done + report.failed)
                if format == "csv":
                    yield _wide(result, top)
                elif format == "table":
                    yield {"text": _block(result)}
                else:
                    yield _json(result, classifier)

        def _json(result: Result, used: Classifier) -> dict[str, Any]:
            row: dict[str, Any] = {"path": result.path, "status": result.status}
            if not result.ok:
                return {**row, "error": result.error}
            if threshold:
                row["label"] = result.label
            predictions = [{"label": p.label, "index": p.index, "score": p.score} for p in result.predictions]
            row |= {
                "model": result.model,
                "device": used.engine.device,
                "engine": used.engine.name,
                "predictions": predictions,
            }
            return row if result.frames is None else row | _json_frames(result)

        columns = ["path", "status", "model", *(["label"] if threshold else [])]
        columns += [f"{name}{rank}" for rank in range(1, top + 1) for name in ("label", "index", "score")]
        columns += [*(["frames"] if moments else []), "error"]
        out.write(rows(), stream, format, columns=columns, table=lambda row: row["text"])
    if report.failed:
        whole = " in whole" if moments else ""
        common.say(f"{report.failed} of {report.done + report.failed} could not be read{whole}")
    return report.exit_status


def _counted(images: Iterable[Any], update: Callable[[int], None]) -> Iterator[Any]:
    for number, image in enumerate(images, start=1):
        update(number)
        yield image


def _json_frames(result: Any) -> dict[str, Any]:
    """The keys of a video in JSON, in addition to those of an image."""
    frames = [
        {"time": frame.time, "error": frame.error}
        if frame.error
        else {"time": frame.time, "label": frame.label, "index": frame.index, "score": frame.score}
        for frame in result.frames
    ]
    return {"frames": frames, "votes": result.votes, **({"error": result.error} if result.error else {})}


def _wide(result: Any, top: int) -> dict[str, Any]:
    """One row of CSV, with the classes side by side."""
    row = {"path": result.path, "status": result.status, "model": result.model, "label": result.label}
    for rank, prediction in enumerate(result.predictions[:top], start=1):
        row[f"label{rank}"] = prediction.label
        row[f"index{rank}"] = prediction.index
        row[f"score{rank}"] = prediction.score
    if result.frames is not None:
        row["frames"] = sum(result.votes.values())
    return {**row, "error": result.error}


def _block(result: Any) -> str:
    """One image or video on a terminal: its path, a bar for each class, and a timeline for a video."""
    if not result.ok:
        return f"{result.path}\n  {result.error}\n"
    from zoo.catalog.labels import display

    lines = [result.path]
    if not result.certain:
        lines.append(f"  {result.label}: no class reaches the threshold")
    for prediction in result.predictions:
        lines.append(f"  {prediction.score:6.1%}  {_bar(prediction.score)}  {display(prediction.label)}")
    if result.frames is not None:
        lines += _timeline(result)
    return "\n".join(lines) + "\n"


def _timeline(result: Any) -> list[str]:
    """The timeline of a video, a line for each run of frames with the same label."""
    from zoo.catalog.labels import display
    from zoo.images.video.times import clock
    from zoo.inference.video import segments

    decimals = 0 if all(frame.time.is_integer() for frame in result.frames) else 2
    rows = list(segments(result.frames))
    lines = []
    for row in rows[:_SEGMENTS]:
        start, end = (clock(time, decimals=decimals) for time in (row.start, row.end))
        lines.append((start if start == end else f"{start}–{end}", row))
    width = max(len(times) for times, _ in lines)
    shown = [
        f"  {times:{width}}  {display(row.label)}" + (f" ({row.frames} frames)" if row.frames > 1 else "")
        for times, row in lines
    ]
    if len(rows) > _SEGMENTS:
        shown.append(f"  … and {len(rows) - _SEGMENTS} more; --format json has every frame")
    return [*shown, *([f"  {result.error}"] if result.error else [])]


def _bar(score: float, cells: int = 20) -> str:
    """A bar in eighths of a cell."""
    eighths = round(score * cells * 8)
    full, part = divmod(eighths, 8)
    return ("█" * full + (" ▏▎▍▌▋▊▉"[part] if part else "")).ljust(cells)
