"""The frames of a video by the time at which they are on the screen, decoded by FFmpeg through PyAV."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO

from zoo.core.errors import ImageError, UnavailableError
from zoo.images.formats import FORMATS
from zoo.images.limits import MAX_PIXELS
from zoo.images.video.container import cut
from zoo.images.video.rendering import Display

if TYPE_CHECKING:
    import av

#: The only demuxers that FFmpeg may use; others open further files and URLs.
_DEMUXERS = ",".join(row.demuxers for row in FORMATS if row.demuxers)
#: Demuxers whose packets have presentation times, and whose index lists the key frames.
_INDEXED = ("mov", "matroska")
#: Bytes that are read from the file at once.
_BLOCK = 1 << 18
#: Packets read ahead of the decoder. H.264 and H.265 reorder frames by at most 16 places.
_AHEAD = 32
#: Frames that a seek must save.
_WORTH = 16
#: Seconds by which timestamps fall back if another recording begins in the file; less is reordering.
_RESTART = 1
#: Seconds for which a frame may stay; a longer gap is another recording, or damage.
_LONGEST = 3600
#: Before all times.
_NEVER = -(1 << 62)
#: Frames in a second if a video does not state it.
_RATE = 25


@dataclass(frozen=True, slots=True)
class Shown:
    """What is on the screen from a time on, in seconds; no image if the video is damaged there."""

    time: Fraction
    image: av.VideoFrame | None
    #: PyAV does not convert one frame in two threads at once.
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)


class Reader:
    """An open video. Times count from its first frame and do not go back."""

    def __init__(self, file: BinaryIO) -> None:
        """Find the video stream of an open file; less may be decoded if it is seekable."""
        self._av = _library()
        self._file = file
        #: When the last decoded frame leaves the screen.
        self.end = Fraction(0)
        #: Aspect and orientation, once the first frame is decoded.
        self.display: Display | None = None
        #: Why the video ends earlier than it should, once the end is reached.
        self.problem: str | None = None
        self._seekable = file.seekable()
        # From PyAV 19 on titles that are not UTF-8 are no error, and there is no such option.
        errors = {} if int(self._av.__version__.partition(".")[0]) >= 19 else {"metadata_errors": "replace"}
        try:
            self._container = self._av.open(
                file, "r", container_options={"format_whitelist": _DEMUXERS}, buffer_size=_BLOCK, **errors
            )
        except (self._av.FFmpegError, OSError, ValueError) as error:
            raise ImageError(self._refusal(error)) from error
        try:
            self._stream = self._find()
        except ImageError:
            self.close()
            raise
        self._indexed = self._container.format.name.split(",")[0] in _INDEXED
        self._unit: Fraction = self._stream.time_base
        rate = self._stream.average_rate
        self._rate = rate if rate and rate > 0 else Fraction(_RATE)
        self._origin: Fraction | None = None
        self._last: Fraction | None = None
        # In the stream's time base: the requested time, and the latest one given to the decoder.
        self._target: int | None = None
        self._sent = _NEVER
        # Whether frames are unreliable until the next key frame.
        self._damaged = False
        self._shown: Shown | None = None
        self._decoded = self._decode()
        if self._indexed and self._seekable:
            # Matroska's index may be at the end of the file, and is read at the first seek.
            self._go_to(self._stream.start_time or 0)
        self._upcoming = self._next()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the decoder."""
        self._container.close()

    def at(self, time: Fraction) -> Shown | None:
        """What is on the screen at a time in seconds, not before the last one requested; ``None`` after the end."""
        if self._upcoming is not None and self._upcoming.time < time:
            self._seek(time)
        while self._upcoming is not None and self._upcoming.time <= time:
            self._shown = self._upcoming
            self._upcoming = self._next()
        return None if self._upcoming is None and time >= self.end else self._shown

    def frames(self) -> Iterator[Shown]:
        """All frames, and one place without an image for each damaged stretch."""
        while self._upcoming is not None:
            yield self._upcoming
            self._upcoming = self._next()

    def _next(self) -> Shown | None:
        for frame in self._decoded:
            if frame is None:
                if not self._damaged:
                    self._damaged = True
                    return Shown(self.end, None)
                continue
            if self._damaged and not frame.key_frame:
                continue
            time = self._time(frame)
            if self._last is not None and time <= self._last:
                # Out of order, or a duplicate.
                continue
            self._damaged = False
            self._last, self.end = time, time + self._duration(frame)
            self.display = self.display or Display.of(frame, self._stream.sample_aspect_ratio)
            return Shown(time, frame)
        self.problem = self.problem or cut(self._file)
        if self._damaged:
            self.problem = self.problem or "damaged: what follows cannot be decoded"
        return None

    def _time(self, frame: av.VideoFrame) -> Fraction:
        if frame.pts is None:
            return self.end
        stamp = frame.pts * self._unit
        if self._origin is None:
            self._origin = stamp - self.end
        elif self._last is not None and not -_RESTART <= stamp - self._origin - self._last <= _LONGEST:
            # Another recording begins, with its own timestamps.
            self._origin = stamp - self.end
            self._indexed = False
        time: Fraction = stamp - self._origin
        return time

    def _duration(self, frame: av.VideoFrame) -> Fraction:
        known = frame.duration * self._unit
        return known if 0 < known <= _LONGEST else min(1 / self._rate, Fraction(_LONGEST))

    def _decode(self) -> Iterator[av.VideoFrame | None]:
        """Frames in presentation order, and ``None`` for what cannot be decoded."""
        context = self._stream.codec_context
        for packet, needed in self._packets():
            context.skip_frame = "DEFAULT" if needed else "NONREF"
            try:
                frames = context.decode(packet)
            except self._av.FFmpegError:
                yield None
                continue
            for frame in frames:
                yield None if frame.is_corrupt else frame

    def _packets(self) -> Iterator[tuple[av.Packet | None, bool]]:
        """Packets for the decoder, and whether the frame of each is needed itself; ``None`` at the end."""
        ahead: deque[av.Packet] = deque()
        for packet in self._read():
            ahead.append(packet)
            if not self._indexed or len(ahead) == _AHEAD:
                yield ahead[0], self._needed(ahead)
                ahead.popleft()
        while ahead:
            yield ahead[0], self._needed(ahead)
            ahead.popleft()
        yield None, True

    def _needed(self, ahead: deque[av.Packet]) -> bool:
        """Whether the next frame may be on the screen at the target or after it."""
        pts = ahead[0].pts
        if pts is None or not self._indexed:
            return True
        self._sent = max(self._sent, pts)
        if self._target is None:
            return True
        later = (self._sent, *(packet.pts for packet in ahead if packet.pts is not None))
        return not any(pts < other <= self._target for other in later)

    def _read(self) -> Iterator[av.Packet]:
        """The video's packets in decoding order, without the empty one that PyAV adds."""
        try:
            for packet in self._container.demux(self._stream):
                if packet.size:
                    yield packet
        except IndexError:
            # PyAV fails at the end of files in which further streams appear.
            return
        except (self._av.FFmpegError, OSError) as error:
            self.problem = f"damaged: {_words(error)}"

    def _seek(self, time: Fraction) -> None:
        """Go to the last key frame before a time, if that saves decoding."""
        if self._origin is None:
            return
        self._target = int((time + self._origin) / self._unit)
        if not (self._indexed and self._seekable):
            return
        index = self._stream.index_entries
        found = index.search_timestamp(self._target)
        if found < 0 or (index[found].timestamp - self._sent) * self._unit * self._rate < _WORTH:
            return
        self._go_to(self._target)
        key = next((frame for frame in self._decoded if frame is not None and frame.key_frame), None)
        if key is not None and key.pts is not None and (landed := key.pts * self._unit - self._origin) <= time:
            self._last, self.end = landed, landed + self._duration(key)
            self._damaged = False
            self._upcoming = Shown(landed, key)
            return
        # The index is wrong, or the video damaged there: decode everything from the beginning.
        self._seekable, self._damaged, self._last, self.end, self.problem = False, False, None, Fraction(0), None
        self._go_to(self._stream.start_time or 0)
        self._upcoming = self._next()

    def _go_to(self, ticks: int) -> None:
        try:
            self._container.seek(ticks, stream=self._stream)
        except (self._av.FFmpegError, OSError):
            self._seekable = False
        self._sent = _NEVER
        self._decoded = self._decode()

    def _find(self) -> Any:
        """The video stream; an ImageError if there is none that can be decoded."""
        streams = self._container.streams
        still = self._av.stream.Disposition.attached_pic
        films = [stream for stream in streams.video if not stream.disposition & still]
        if not films:
            raise ImageError("no video in it, only sound" if streams.audio else "no video in it")
        best = max(films, key=lambda stream: bool(stream.disposition & self._av.stream.Disposition.default))
        context = best.codec_context
        if context is None:
            raise ImageError("a video in a codec that this build of FFmpeg does not have")
        if context.width * context.height > MAX_PIXELS:
            raise ImageError(f"too large: {context.width} × {context.height} pixels")
        # With threads for slices only, FFmpeg would not report errors.
        context.thread_type = "AUTO"
        return best

    def _refusal(self, error: Exception) -> str:
        if not self._seekable:
            return f"not a video that can be read from a pipe: {_words(error)}"
        if not self._file.seek(0, os.SEEK_END):
            return "the file is empty"
        return cut(self._file) or f"not a video, or a damaged one: {_words(error)}"


def _library() -> Any:
    try:
        import av
    except ImportError as error:
        raise UnavailableError(
            "Videos need the package av, which is not installed; pip install 'keras-zoo[video]' installs it."
        ) from error
    return av


def _words(error: Exception) -> str:
    """FFmpeg's message, without numbers and names."""
    text = getattr(error, "strerror", None) or str(error)
    return text[:1].lower() + text[1:]
