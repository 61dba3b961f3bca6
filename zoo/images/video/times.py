"""Times in videos: the interval of ``--every``, and paths of frames as in W3C's Media Fragments (2012)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction

from zoo.core.errors import UsageError

_EVERY = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?)(?P<unit>ms|s|m|h|f)", re.ASCII)
_MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
_MOMENT = re.compile(r"(?P<file>.+)#t=(?P<seconds>[0-9]{1,9}(?:\.[0-9]{1,3})?)", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Every:
    """The interval between frames: in milliseconds, or in frames."""

    milliseconds: int | None = None
    frames: int | None = None

    @classmethod
    def parse(cls, text: str) -> Every:
        """Parse the text of ``--every``: a number with ``ms``, ``s``, ``m``, ``h``, or ``f`` for frames."""
        match = _EVERY.fullmatch(text.strip())
        if match is None:
            raise UsageError(
                f"--every takes a time such as 1s, 500ms, 2m or 1h, or a number of frames such as 30f. Received: {text}"
            )
        unit = match["unit"]
        number = Fraction(match["number"]) * _MILLISECONDS.get(unit, 1)
        if number < 1 or number.denominator > 1:
            least = "whole frames, 1f or more" if unit == "f" else "whole milliseconds, 1ms or more"
            raise UsageError(f"--every takes {least}. Received: {text}")
        return cls(frames=int(number)) if unit == "f" else cls(milliseconds=int(number))


def milliseconds(time: Fraction) -> int:
    """A time in seconds as milliseconds, rounded up, so that the frame is on the screen by then."""
    return math.ceil(time * 1000)


def moment(file: str, milliseconds: int) -> str:
    """The path of the frame at a time of a video: ``clip.mp4#t=12.000``."""
    return f"{file}#t={milliseconds // 1000}.{milliseconds % 1000:03}"


def split_moment(path: str) -> tuple[str, int] | None:
    """The video and the milliseconds of the path of a frame; ``None`` for any other path."""
    match = _MOMENT.fullmatch(path)
    return (match["file"], int(Fraction(match["seconds"]) * 1000)) if match else None


def clock(seconds: float | Fraction, *, decimals: int = 0) -> str:
    """A time in seconds as a player shows it: ``1:02:05``, ``1:01.5``."""
    ticks = round(float(seconds) * 10**decimals)
    whole, part = divmod(ticks, 10**decimals)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    text = f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
    return f"{text}.{part:0{decimals}}" if decimals else text
