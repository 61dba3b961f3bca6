"""Videos drawn for the tests: every frame carries its own number, so that a test sees which one it got."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

av = pytest.importorskip("av")

#: Squares in a frame, a bit of its number each, and their side in pixels.
BITS, SIDE = 9, 16


def numbered(number: int) -> np.ndarray:
    """A frame that shows a number below 512; uint8 (32, 144, 3). Below it something moves, so that frames differ."""
    bits = [number >> bit & 1 for bit in range(BITS)]
    top = np.repeat(np.repeat(np.array([bits], np.uint8) * 255, SIDE, 0), SIDE, 1)
    bottom = np.roll(np.tile(np.arange(SIDE * BITS) * 7 % 256, (SIDE, 1)), number * 3, 1).astype(np.uint8)
    return np.repeat(np.concatenate([top, bottom])[:, :, None], 3, 2)


def number_of(image: Image.Image | np.ndarray) -> int:
    """The number that a frame shows."""
    squares = np.asarray(image)[:SIDE, :, 0].reshape(SIDE, BITS, SIDE)[4:12, :, 4:12].mean((0, 2))
    return sum(int(level > 127) << bit for bit, level in enumerate(squares))


def clip(
    frames: Iterable[np.ndarray],
    *,
    codec: str = "mpeg4",
    format: str = "mp4",
    rate: int = 25,
    times: Sequence[int] | None = None,
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    container: dict[str, str] | None = None,
    turn: dict[str, Any] | None = None,
    aspect: Fraction | None = None,
    sound: bool = False,
) -> bytes:
    """The bytes of a video.

    Args:
        frames: uint8 (height, width, 3), all of one size.
        codec: a name of FFmpeg's; the test skips where this build of PyAV lacks it.
        format: of the file, by FFmpeg's name.
        rate: frames a second.
        times: milliseconds at which the frames are shown, instead of ``rate``.
        pixels: FFmpeg's name of the format of the pixels.
        options: of the codec.
        container: options of the file.
        turn: what ``set_display_rotation`` takes.
        aspect: how much wider than high a pixel is.
        sound: whether there is a second of silence too.
    """
    if codec not in av.codecs_available:
        pytest.skip(f"this build of PyAV cannot write {codec}")
    # An index is moved to the front by writing the file again, by its name.
    with (
        tempfile.TemporaryDirectory() as folder,
        av.open(f"{folder}/clip", "w", format=format, options=container or {}) as file,
    ):
        stream = None
        voice = file.add_stream("aac" if format == "mp4" else "pcm_s16le", rate=8000) if sound else None
        for number, frame in enumerate(frames):
            if stream is None:
                stream = file.add_stream(codec, rate=rate)
                stream.height, stream.width = frame.shape[:2]
                stream.pix_fmt, stream.options = pixels, options or {}
                if times:
                    stream.codec_context.time_base = Fraction(1, 1000)
                if aspect:
                    stream.codec_context.sample_aspect_ratio = aspect
                if turn:
                    stream.set_display_rotation(**turn)
            image = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame))
            image.pts, image.time_base = (times[number], Fraction(1, 1000)) if times else (number, Fraction(1, rate))
            for packet in stream.encode(image):
                file.mux(packet)
        if stream is not None:
            for packet in stream.encode():
                file.mux(packet)
        if voice is not None:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), "s16", "mono")
            silence.sample_rate = 8000
            for packet in [*voice.encode(silence), *voice.encode()]:
                file.mux(packet)
        file.close()
        return Path(folder, "clip").read_bytes()


def counting(count: int = 100, **settings: Any) -> bytes:
    """A video whose frames show 0, 1, 2, …"""
    return clip((numbered(number) for number in range(count)), **settings)
