"""The table of image and video formats: one row for each, from which everything about names and signatures follows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["image", "video", "refused", "other"]

#: First bytes of a file that :func:`match` needs.
HEAD = 512


@dataclass(frozen=True, slots=True)
class Format:
    """One file format. ``refused`` formats are known to Pillow, but it would run another program to decode them."""

    #: Pillow's name of an image format.
    name: str
    kind: Kind
    #: Suffixes that count in a folder, separated by spaces.
    suffixes: str = ""
    #: Regular expression for the first bytes; empty where Pillow decides, or there is no reliable signature.
    begins: bytes = b""
    #: What a message calls a file of this format that was given as an image.
    called: str = ""
    #: ``module:function`` that adds the format to Pillow, from a package that is optional.
    plugin: str = ""
    #: FFmpeg's demuxers of a video format.
    demuxers: str = ""


FORMATS = (
    # Images
    Format("JPEG", "image", ".jpg .jpeg .jpe .jfif", rb"\xff\xd8\xff"),
    Format("PNG", "image", ".png .apng", rb"\x89PNG"),
    Format("GIF", "image", ".gif", rb"GIF8[79]a"),
    Format("WEBP", "image", ".webp", rb"RIFF.{4}WEBP"),
    Format("TIFF", "image", ".tif .tiff", rb"II[*+]\0|MM\0[*+]|II\0\*|MM\*\0"),
    # AVIF images may have a brand of HEIF too, so they come first.
    Format("AVIF", "image", ".avif .avifs", rb".{4}ftyp.{0,52}avif"),
    Format(
        "HEIF",
        "image",
        ".heic .heics .heif .heifs .hif",
        rb".{4}ftyp(hei[cxms]|hev[cx]|mif1|msf1)",
        plugin="pillow_heif:register_heif_opener",
    ),
    Format("BLP", "image", ".blp"),
    Format("BMP", "image", ".bmp"),
    Format("CUR", "image", ".cur"),
    Format("DCX", "image", ".dcx"),
    Format("DDS", "image", ".dds"),
    Format("DIB", "image", ".dib"),
    Format("FITS", "image", ".fit .fits"),
    Format("FLI", "image", ".flc .fli"),
    Format("FTEX", "image", ".ftc .ftu"),
    Format("GBR", "image", ".gbr"),
    Format("ICNS", "image", ".icns"),
    Format("ICO", "image", ".ico"),
    Format("IM", "image", ".im"),
    Format("IPTC", "image", ".iim"),
    Format("JPEG2000", "image", ".j2c .j2k .jp2 .jpc .jpf .jpx"),
    Format("MPO", "image", ".mpo"),
    Format("MSP", "image", ".msp"),
    Format("PCD", "image", ".pcd"),
    Format("PCX", "image", ".pcx"),
    Format("PIXAR", "image", ".pxr"),
    Format("PPM", "image", ".pbm .pfm .pgm .pnm .ppm"),
    Format("PSD", "image", ".psd"),
    Format("QOI", "image", ".qoi"),
    Format("SGI", "image", ".bw .rgb .rgba .sgi"),
    Format("SUN", "image", ".ras"),
    Format("TGA", "image", ".icb .tga .vda .vst"),
    Format("XBM", "image", ".xbm"),
    Format("XPM", "image", ".xpm"),
    # Formats that Pillow knows and zoo does not decode
    Format("EPS", "refused", begins=rb"(?i:\s*%!ps)|\xc5\xd0\xd3\xc6", called="a PostScript document"),
    Format("HDF5", "refused", begins=rb"\x89HDF", called="an HDF5 file"),
    Format("BUFR", "refused"),
    Format("GRIB", "refused"),
    Format("MPEG", "refused"),
    Format("WMF", "refused"),
    # Videos
    Format(
        "MP4",
        "video",
        ".mp4 .m4v .mov .qt .3gp .3g2 .f4v",
        rb".{4}ftyp(?!.{0,52}(avi[fs]|hei[cx]|hev[cx]|mif1|msf1))",
        demuxers="mov",
    ),
    Format("Matroska", "video", ".mkv .webm", rb"\x1aE\xdf\xa3", demuxers="matroska"),
    Format("AVI", "video", ".avi .divx", rb"RIFF.{4}AVI ", demuxers="avi"),
    Format(
        "MPEG programme stream", "video", ".mpg .mpeg .mpe .m2v .vob", rb"\0\0\x01[\xba\xb3]", demuxers="mpeg,mpegvideo"
    ),
    # Packets of 188 bytes, in Blu-ray's files with four bytes before each. Most files named .ts are programs.
    Format("MPEG transport stream", "video", ".m2ts .mts", rb"G.{187}G|.{4}G.{191}G", demuxers="mpegts"),
    Format("Flash", "video", ".flv", rb"FLV\x01", demuxers="flv"),
    Format("Windows Media", "video", ".asf .wmv", rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11", demuxers="asf"),
    Format("Ogg", "video", ".ogm .ogv", rb"OggS", demuxers="ogg"),
    Format("MXF", "video", ".mxf", demuxers="mxf"),
    Format("Bare streams", "video", demuxers="m4v,h264,hevc,ivf,dv,nut"),
    # Other files that are often taken for images
    Format("PDF", "other", begins=rb"(?i:\s*%pdf)", called="a PDF document"),
    Format("ZIP", "other", begins=rb"\s*PK\x03\x04", called="a ZIP archive or an office document"),
    Format("gzip", "other", begins=rb"\x1f\x8b", called="a gzip archive"),
    Format("SVG", "other", begins=rb"(?i:\s*<svg)", called="an SVG drawing"),
    Format("HTML", "other", begins=rb"(?i:\s*<(!doctype html|html))", called="a web page"),
)


#: Suffixes of the images, and of the videos, in a folder.
IMAGE_SUFFIXES, VIDEO_SUFFIXES = (
    frozenset(suffix for row in FORMATS if row.kind == kind for suffix in row.suffixes.split())
    for kind in ("image", "video")
)


def match(head: bytes, kind: Kind | None = None) -> Format | None:
    """The format whose signature a file has, by its first :data:`HEAD` bytes; ``None`` if it is not of ``kind``."""
    signed = (row for row in FORMATS if row.begins)
    found = next((row for row in signed if re.match(row.begins, head, re.DOTALL)), None)
    return found if found and kind in (None, found.kind) else None
