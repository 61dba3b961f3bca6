"""What is refused because it would take too much memory or time."""

from __future__ import annotations

#: Pixels of the largest image that is decoded, 4 bytes each in memory; the largest phone cameras have 200 million.
MAX_PIXELS = 210_000_000
#: The same for formats that Pillow decodes in Python, at about a million pixels a second.
MAX_PIXELS_IN_PYTHON = 16_000_000
#: Pixels of the longest side; resizing needs memory in proportion to it.
MAX_SIDE = 1_000_000
#: Scans times pixels of a progressive JPEG. Ordinary ones have ten scans; a small file could have thousands.
MAX_SCANNED = 20_000_000_000

#: Bytes from a URL, and from a pipe.
URL_LIMIT = 64 << 20
PIPE_LIMIT = 256 << 20
#: Seconds to connect, to the next bytes, and for a whole image.
CONNECT_TIMEOUT, READ_TIMEOUT, TOTAL_TIMEOUT = 5.0, 20.0, 120.0
