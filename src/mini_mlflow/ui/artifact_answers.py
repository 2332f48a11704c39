"""How is a file of a run sent: whole or one range of it, never as something that a browser would run?"""

from __future__ import annotations

import os
import re

from . import answers
from .api import files, previews

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, Optional, Tuple

    from .answers import Answer
    from .api.stores import Place

_HEAD = 64 << 10
_PORTION = 1 << 18
_TEXT = "text/plain; charset=utf-8"
_SVG = "image/svg+xml"
_RANGE = r"bytes=(\d{0,18})-(\d{0,18})"


def send_artifact(place: Place, path: str, *, range_text: str, if_none_match: str, is_download: bool) -> Answer:
    """Return an artifact: images and texts to be shown, all else to be kept.

    Args:
        place: The run.
        path: The artifact.
        range_text: The header ``Range``; empty without one. Of several ranges none is sent.
        if_none_match: The header ``If-None-Match``.
        is_download: Whether it is to be kept in any case.

    Raises:
        InvalidArtifactPathError: The path is not legal, or leads to something else.
        ArtifactNotFoundError: There is none.
    """
    opened = files.open_file(place, path)
    is_kept = False
    try:
        etag = '"%x-%x"' % (opened.modified_ns, opened.size)
        kind, is_inline = _kind(opened)
        headers = [
            (b"accept-ranges", b"bytes"),
            (b"etag", etag.encode()),
            (b"content-disposition", disposition(opened.name, is_inline=is_inline and not is_download)),
        ]
        if if_none_match == etag:
            return answers.make(304, b"", kind, headers, b"private, no-cache")
        bounds = (0, opened.size) if not range_text else _find_range(range_text, opened.size)
        if bounds is None:
            headers = [(b"content-range", b"bytes */%d" % opened.size)]
            return answers.refuse(416, "range", "One range within the file can be asked for.")._replace(headers=headers)
        start, stop = bounds
        headers.append((b"content-length", b"%d" % (stop - start)))
        status = 200
        if range_text:
            status = 206
            headers.append((b"content-range", b"bytes %d-%d/%d" % (start, stop - 1, opened.size)))
        is_kept = True
        return answers.make(status, Portions(opened.descriptor, start, stop), kind, headers, b"private, no-cache")
    finally:
        if not is_kept:
            os.close(opened.descriptor)


class Portions:
    """Part of an open file, portion by portion; closes the file, also when nobody reads to the end."""

    def __init__(self, descriptor: int, start: int, stop: int) -> None:
        self._descriptor = descriptor
        self._start = start
        self._stop = stop

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """Return the next portion."""
        wanted = min(_PORTION, self._stop - self._start)
        data = b""
        if wanted > 0 and self._descriptor >= 0:
            os.lseek(self._descriptor, self._start, os.SEEK_SET)
            data = os.read(self._descriptor, wanted)
        if not data:
            self.close()
            raise StopIteration
        self._start += len(data)
        return data

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)

    def __del__(self) -> None:
        self.close()


def disposition(name: str, *, is_inline: bool) -> bytes:
    """Return a ``Content-Disposition`` that no name can break out of: RFC 6266, the name in the form of RFC 8187."""
    encoded = "".join(
        chr(byte) if byte < 128 and (chr(byte).isalnum() or chr(byte) in "-._~") else "%%%02X" % byte
        for byte in name.encode("utf-8", "replace")
    )
    return ("%s; filename*=UTF-8''%s" % ("inline" if is_inline else "attachment", encoded)).encode("ascii")


def _kind(opened: files.Opened) -> Tuple[str, bool]:
    """Return the content type, and whether it may be shown: by what is in the file, not by its name alone."""
    head = os.pread(opened.descriptor, _HEAD, 0) if hasattr(os, "pread") else _read_head(opened.descriptor)
    image = previews.image_type(head)
    if image is not None:
        return (image, True) if previews.is_showable(head) else (answers.BINARY, False)
    ending = opened.name.lower().rpartition(".")[2]
    if ending == "svg" and b"<svg" in head[:4096]:
        return _SVG, True  # in a sandbox: an <img> draws it, and opened by itself it runs nothing
    if ending in ("html", "htm", "xhtml", "xml", "js", "mjs", "pdf", "svgz", "mht", "mhtml"):
        return answers.BINARY, False
    return (_TEXT, True) if previews.is_text(head) and b"<" not in head[:1] else (answers.BINARY, False)


def _read_head(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, _HEAD)


def _find_range(text: str, size: int) -> Optional[Tuple[int, int]]:
    """Return from where to where one range goes, None where there are several or it lies outside."""
    found = re.fullmatch(_RANGE, text.strip()) if len(text) < 100 else None
    if found is None or not size:
        return None
    first, last = found.groups()
    if not first:
        if not last or not int(last):
            return None
        return max(0, size - int(last)), size
    start = int(first)
    stop = min(size, int(last) + 1) if last else size
    return (start, stop) if start < stop and start < size else None
