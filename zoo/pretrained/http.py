"""One HTTP request for one file, and the bytes that it leaves behind when it is interrupted.

While a file is downloaded its bytes are in ``NAME.zoo.part`` beside the final name, and what the server said of them in
``NAME.zoo.part.json``. The next request, by whatever process, resumes there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.core.atomic import need_space
from zoo.core.spec import WeightFile

if TYPE_CHECKING:
    import requests

#: Called with the file's name, the bytes that are there and the bytes in all (``None`` if unknown).
Progress = Callable[[str, int, int | None], None]

#: Seconds to wait for a connection, and for the next bytes.
CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0
#: Requests in a row that a server may answer with one of these statuses, and the seconds it may ask zoo to wait.
ATTEMPTS = 5
RETRIED = frozenset({408, 429, *range(500, 600)} - {501, 505})
LONGEST_WAIT = 60.0
#: Bytes read from the connection at a time; at most so many are lost with it.
BLOCK = 1 << 14

PART, STATE = ".zoo.part", ".zoo.part.json"


class RefusedError(Exception):
    """This address will not give the file, however often it is asked."""


class TryAgainError(Exception):
    """Another request may succeed."""

    def __init__(self, reason: str, *, connected: bool = True) -> None:
        """``reason`` ends a sentence; ``connected``: whether the server was reached at all."""
        super().__init__(reason)
        self.connected = connected


@dataclass(frozen=True, slots=True)
class Part:
    """The beginning of a file, and the address that gave it."""

    target: Path

    @property
    def path(self) -> Path:
        """The bytes so far."""
        return self.target.with_name(self.target.name + PART)

    @property
    def state(self) -> Path:
        """What is known of them: the address, hashed because it may hold a password, and its validator."""
        return self.target.with_name(self.target.name + STATE)

    def size(self) -> int:
        """Bytes that are there."""
        return self.path.stat().st_size if self.path.exists() else 0

    def resumable(self, url: str, expected: WeightFile) -> int:
        """Bytes that a request to ``url`` may build on.

        With a known digest any address may add to them; otherwise only the one that gave them with a validator.
        """
        known = self._read() and (self.validator(url) or expected.md5 or expected.sha256)
        return self.size() if known else 0

    def validator(self, url: str) -> str | None:
        """What ``If-Range`` may say to the address that gave these bytes; ``None`` to any other."""
        state = self._read()
        return state.get("validator") if state.get("source") == _hashed(url) else None

    def describe(self, url: str, validator: str | None) -> None:
        """Record who gives the bytes that follow."""
        self.state.write_text(json.dumps({"source": _hashed(url), "validator": validator}), encoding="utf-8")

    def discard(self) -> None:
        """Remove the bytes and their record."""
        self.path.unlink(missing_ok=True)
        self.state.unlink(missing_ok=True)

    def _read(self) -> dict[str, str | None]:
        try:
            state = json.loads(self.state.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return state if isinstance(state, dict) else {}


def session(back_off: float) -> requests.Session:
    """A session that repeats requests to a busy server after ``Retry-After``, or after a doubling wait.

    Connections that break are not repeated here: the caller resumes the download.
    """
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    class LimitedRetry(Retry):
        def sleep(self, response: Any = None) -> None:
            wait = self.get_retry_after(response) if response is not None else None
            if wait is not None and wait > LONGEST_WAIT:
                raise RefusedError(f"the server answers {response.status} and asks to come back in {wait:.0f} s")
            super().sleep(response)

    retry = LimitedRetry(
        ATTEMPTS - 1,
        connect=0,
        read=False,
        other=0,
        status_forcelist=RETRIED,
        backoff_factor=back_off,
        raise_on_status=False,
    )
    made = requests.Session()
    for scheme in ("https://", "http://"):
        made.mount(scheme, HTTPAdapter(max_retries=retry))
    return made


def transfer(
    session: requests.Session,
    url: str,
    part: Part,
    *,
    offset: int,
    expected: WeightFile,
    progress: Progress | None = None,
) -> None:
    """One request: adds to ``part`` from ``offset``, or begins it again, until the file is complete.

    Raises:
        RefusedError: this address will not give the file.
        TryAgainError: another request may succeed.
        OSError: the disk is full or cannot be written.
    """
    import requests

    # Compression would make lengths and ranges mean something else.
    headers = {"Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
        if validator := part.validator(url):
            headers["If-Range"] = validator
    try:
        with session.get(url, headers=headers, stream=True, timeout=(CONNECT_TIMEOUT, READ_TIMEOUT)) as response:
            content_range = response.headers.get("Content-Range", "")
            if response.status_code == 416 and offset:
                if content_range == f"bytes */{offset}":
                    return
                part.discard()
                raise TryAgainError("the server refused to continue")
            if response.status_code == 206 and not content_range.startswith(f"bytes {offset}-"):
                part.discard()
                raise TryAgainError("the server sent another range than it was asked for")
            _check(response)
            offset = offset if response.status_code == 206 else 0
            total = _total(response, offset)
            part.describe(url, _validator(response))
            need_space(part.target.parent, (total or expected.bytes or 0) - offset)
            _receive(response, part, offset, total or expected.bytes, progress)
            if total is not None and part.size() < total:
                raise TryAgainError("the connection was lost")
    except requests.exceptions.SSLError as error:
        raise RefusedError(f"the secure connection failed ({getattr(error.args[0], 'reason', error)})") from error
    except requests.exceptions.Timeout as error:
        connected = not isinstance(error, requests.exceptions.ConnectTimeout)
        raise TryAgainError("the server does not answer", connected=connected) from error
    except (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
        # Only a connection that was never made has a reason.
        reason = getattr(error.args[0], "reason", None) if error.args else None
        if type(reason).__name__ == "NameResolutionError":
            raise RefusedError("the server's name is not known here") from error
        if reason is not None:
            raise TryAgainError("there is no connection to the server", connected=False) from error
        raise TryAgainError("the connection was lost") from error
    except requests.exceptions.RequestException as error:
        # Its message may repeat the address, and with it a password.
        raise RefusedError(f"the address cannot be used ({type(error).__name__})") from error


def shown(url: str) -> str:
    """An address as it may be shown, without user, password and query, even if no parser takes it."""
    return re.sub(r"//[^/]*@", "//", re.split(r"[?#]", url)[0])


def _check(response: requests.Response) -> None:
    """Raise RefusedError if an answer is not the file, or a part of it."""
    if response.status_code not in (200, 206):
        raise RefusedError(f"the server answers {response.status_code} {response.reason or ''}".rstrip())
    if response.headers.get("Content-Type", "").startswith("text/html"):
        raise RefusedError("the server sent a web page instead of the file")


def _receive(
    response: requests.Response, part: Part, offset: int, total: int | None, progress: Progress | None
) -> None:
    """Write the body of an answer from ``offset``."""
    with part.path.open("r+b" if offset else "wb") as file:
        file.seek(offset)
        file.truncate()
        for block in response.iter_content(BLOCK):
            file.write(block)
            if progress:
                progress(part.target.name, file.tell(), total)


def _hashed(url: str) -> str:
    # Imported here because a process that downloads nothing need not pay for it.
    import hashlib

    return hashlib.sha256(url.encode()).hexdigest()[:16]


def _validator(response: requests.Response) -> str | None:
    """What ``If-Range`` may repeat: a strong entity tag, else the date of change."""
    etag = response.headers.get("ETag", "")
    return etag if etag.startswith('"') else response.headers.get("Last-Modified")


def _total(response: requests.Response, offset: int) -> int | None:
    """Bytes of the whole file, if the answer says so; the length of a compressed body says nothing."""
    length = response.headers.get("Content-Length", "")
    compressed = response.headers.get("Content-Encoding", "identity") != "identity"
    return offset + int(length) if length.isdigit() and not compressed else None
