"""Whether the end of a video file is missing, from the lengths that its container states."""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

#: First bytes of Matroska (RFC 8794).
_EBML = b"\x1aE\xdf\xa3"
#: Boxes that an MP4 begins with.
_FIRST_BOXES = (b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide")
#: Zeros at the end of a file that are no chance.
_ZEROS = 4096


def cut(file: BinaryIO) -> str | None:
    """Why the end of a video is known to be missing, by the lengths that the outer parts of MP4 and Matroska state."""
    if not file.seekable():
        return None
    position = file.tell()
    try:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        matroska = file.read(len(_EBML)) == _EBML
        if (_end_of_matroska(file) if matroska else _end_of_mp4(file, size)) > size:
            return f"cut short: the file ends after {size:,} bytes, and the video does not"
        # FFmpeg takes zeros for the end of Matroska; an incomplete download may be filled up with them.
        file.seek(max(0, size - _ZEROS))
        if matroska and not any(file.read(_ZEROS)):
            return "cut short: the end of the file holds nothing but zeros"
    finally:
        file.seek(position)
    return None


def _end_of_mp4(file: BinaryIO, size: int) -> int:
    """Where the last box of an MP4 ends (ISO 14496-12, 4.2); 0 if the boxes make no sense, or reach to the end."""
    position = 0
    while position < size:
        file.seek(position)
        box = file.read(16)
        if len(box) < 8 or not box[4:8].isalnum() or (position == 0 and box[4:8] not in _FIRST_BOXES):
            return 0
        (length,) = struct.unpack_from(">I", box)
        if length == 1 and len(box) == 16:
            (length,) = struct.unpack_from(">Q", box, 8)
        if length < 8:
            return 0
        position += length
    return position


def _end_of_matroska(file: BinaryIO) -> int:
    """Where the segment of a Matroska file ends (RFC 9559, 5.1); 0 if it is unknown."""
    header = _content(file, 0)
    segment = _content(file, sum(header)) if header else None
    return sum(segment) if segment else 0


def _content(file: BinaryIO, position: int) -> tuple[int, int] | None:
    """Start and length of the content of an element with an id of four bytes (RFC 8794, 4 to 6)."""
    file.seek(position + 4)
    data = file.read(8)
    if not data or not data[0]:
        return None
    width = 9 - data[0].bit_length()
    unknown = (1 << 7 * width) - 1
    length = int.from_bytes(data[:width], "big") & unknown
    return None if length == unknown else (position + 4 + width, length)
