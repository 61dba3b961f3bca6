"""Videos among images: each is replaced by its frames as sources with paths such as ``clip.mp4#t=12.000``."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction

from zoo.core.errors import ImageError
from zoo.images import formats
from zoo.images.source import Source
from zoo.images.video.frame import Frame, Video, open_video
from zoo.images.video.reader import Reader, Shown
from zoo.images.video.times import Every, clock, milliseconds, moment


def expand(sources: Iterable[Source], every: Every | str | None) -> Iterator[Source]:
    """Replace each video by its frames, lazily and in order; other sources stay as they are.

    A damaged video gives the frames before the damage and a source with a ``problem``, and continues at a key frame.
    Memory does not grow with the length of a video; a frame is converted to RGB when it is read.
    """
    return _expanded(sources, Every.parse(every) if isinstance(every, str) else every)


def _expanded(sources: Iterable[Source], every: Every | None) -> Iterator[Source]:
    for source in sources:
        if source.problem is not None or not _is_video(source, every is not None):
            yield source
        elif source.kind == "url":
            yield replace(source, problem="a video at a URL, which zoo does not read; download it first")
        elif every is None:
            yield replace(source, problem="a video; --every 1s takes an image of it each second")
        else:
            yield from _frames(source.path, every)


def _frames(path: str, every: Every) -> Iterator[Source]:
    video = Video(path)
    reader: Reader | None = None
    given = False
    try:
        with open_video(path) as stream, Reader(stream) as reader:
            for time, shown in _selected(reader, every):
                given = True
                at = milliseconds(time)
                damage = f"damaged from {clock(shown.time, decimals=2)} on, until the next key frame"
                problem = None if shown.image else damage
                yield Source(moment(path, at), "frame", problem, frame=Frame(video, at, shown, reader.display))
            if reader.problem or not given:
                raise ImageError(reader.problem or "a video without a frame")
    except ImageError as error:
        if reader is None or not given:
            yield Source(path, problem=str(error), frame=Frame(video, None))
        else:
            end = milliseconds(reader.end)
            problem = f"no frame after {clock(reader.end, decimals=2)}: {error}"
            yield Source(moment(path, end), problem=problem, frame=Frame(video, end))


def _selected(reader: Reader, every: Every) -> Iterator[tuple[Fraction, Shown]]:
    """The times at which frames are taken, and what is on the screen; a damaged stretch counts once."""
    if every.frames:
        count = 0
        for shown in reader.frames():
            if shown.image is None or count % every.frames == 0:
                yield shown.time, shown
            count += shown.image is not None
        return
    assert every.milliseconds is not None
    step, time, last = Fraction(every.milliseconds, 1000), Fraction(0), None
    while (now := reader.at(time)) is not None:
        if now.image is not None or now is not last:
            yield time, now
        last = now
        time += step


def _is_video(source: Source, by_content: bool) -> bool:
    """Whether a source is a video by its suffix or, if that says nothing and ``by_content``, by its first bytes."""
    if source.kind == "url":
        return _suffix(source.path.partition("?")[0]) in formats.VIDEO_SUFFIXES
    suffix = _suffix(source.path)
    # Files named like images are not opened here.
    if source.kind != "file" or suffix in formats.IMAGE_SUFFIXES:
        return False
    if not by_content and suffix not in formats.VIDEO_SUFFIXES:
        return False
    try:
        if not stat.S_ISREG(os.stat(source.path).st_mode):
            return by_content
        with open(source.path, "rb") as file:
            head = file.read(formats.HEAD)
    except (OSError, ValueError):
        return suffix in formats.VIDEO_SUFFIXES
    if suffix in formats.VIDEO_SUFFIXES:
        return formats.match(head, "image") is None
    return formats.match(head, "video") is not None


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()
