"""What the bytes of a file say of the video in it: whether it is one, and whether all of it is there."""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

#: Bytes at the beginning of a file that say what it is.
HEAD = 400

#: How Matroska begins (RFC 8794).
_EBML = b"\x1aE\xdf\xa3"
#: How videos begin: Matroska, Flash, Windows Media, MPEG programme streams, Ogg.
_VIDEOS = (_EBML, b"FLV\x01", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", b"\0\0\x01\xba", b"\0\0\x01\xb3", b"OggS")
#: How images begin that somebody may have given a video's name.
_IMAGES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8")
#: What images in an MP4's container call themselves.
_STILL_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"hevc", b"hevx", b"mif1", b"msf1")
#: Boxes that an MP4 begins with.
_FIRST_BOXES = (b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide")
#: MPEG transport streams have this at the beginning of each packet; in Blu-ray's files four bytes come before it.
_SYNC, _PACKETS = 0x47, ((0, 188), (4, 192))
#: Zeros at the end of a file that are no chance.
_ZEROS = 4096


def begins_like_a_video(head: bytes) -> bool:
    """Whether a file is a video, by its first :data:`HEAD` bytes."""
    if head[4:8] == b"ftyp":
        return not any(brand in head[8:64] for brand in _STILL_BRANDS)
    if head[:4] == b"RIFF":
        return head[8:12] == b"AVI "
    packets = any(
        head[first : first + 1] == head[first + step : first + step + 1] == bytes([_SYNC]) for first, step in _PACKETS
    )
    return head.startswith(_VIDEOS) or packets


def begins_like_a_image(head: bytes) -> bool:
    """Whether a file is an image of a common kind, by its first bytes."""
    return head.startswith(_IMAGES)


def cut(file: BinaryIO) -> str | None:
    """Why it is known that the end of a video is missing; ``None`` where it is not.

    Only the outermost parts of MP4 and Matroska are looked at, which say how long they are.

    Args:
        file: open for reading bytes; is left where it was.
    """
    if not file.seekable():
        return None
    position = file.tell()
    try:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        matroska = file.read(len(_EBML)) == _EBML
        if (_matroska(file) if matroska else _boxes(file, size)) > size:
            return f"cut short: the file ends after {size:,} bytes, and the video does not"
        # FFmpeg takes zeros for the end of Matroska. A file that was not fetched whole may be filled up with them.
        file.seek(max(0, size - _ZEROS))
        if matroska and not any(file.read(_ZEROS)):
            return "cut short: the end of the file holds nothing but zeros"
    finally:
        file.seek(position)
    return None


def _boxes(file: BinaryIO, size: int) -> int:
    """Where the last box of an MP4 ends (ISO 14496-12, 4.2); 0 where they make no sense, or reach to the end."""
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


def _matroska(file: BinaryIO) -> int:
    """Where the segment of a Matroska file ends (RFC 9559, 5.1); 0 where that is not known."""
    header = _content(file, 0)
    segment = _content(file, sum(header)) if header else None
    return sum(segment) if segment else 0


def _content(file: BinaryIO, position: int) -> tuple[int, int] | None:
    """Where the content of an element with an id of four bytes begins, and its length (RFC 8794, 4 to 6)."""
    file.seek(position + 4)
    data = file.read(8)
    if not data or not data[0]:
        return None
    width = 9 - data[0].bit_length()
    unknown = (1 << 7 * width) - 1
    length = int.from_bytes(data[:width], "big") & unknown
    return None if length == unknown else (position + 4 + width, length)
