"""Which paths may artifacts have, so that each stays inside its run and can be a file on every system?"""

from __future__ import annotations

import os
import re

from .errors import InvalidArtifactPathError, shown
from .keys import is_windows_device
from .layout import TEMPORARY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional, Tuple

_MAX_PART_BYTES = 255
_MAX_PATH_BYTES = 2048  # half of what Linux and macOS take, so that the store's own path has room
_FAULTS = (
    (r"\A\Z", "%s is an empty part; write one '/' between two parts, and none at the end"),
    (r"\A\.\.?\Z", "its part %s leads to another folder"),
    (r"\\", "%s has a backslash; join parts by '/'"),
    (r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", "%s has a character that is no text"),
    (r"[. ]\Z", "%s ends with a dot or a blank, which Windows drops"),
    (r"\A[A-Za-z]:", "%s begins like a drive of Windows"),
    (r"\A" + re.escape(TEMPORARY), "%s begins as the names of unfinished files do"),
)
_NOT_ON_WINDOWS = r'[<>:"|?*]'


def check_artifact_path(path: Any) -> Tuple[str, ...]:
    """Return the parts of an artifact's path, such as ``("plots", "loss.png")``.

    Args:
        path: Text with parts joined by ``/``, or a path object. A percent sign is a plain character: nothing is
            decoded, and what would be ``..`` if somebody else decoded it is refused too.

    Raises:
        InvalidArtifactPathError: It is absolute, leads upward, or has a part that is no file name on some system.
    """
    text = path.as_posix() if hasattr(path, "as_posix") else path
    if not isinstance(text, str):
        raise _refusal(path, "it is no text but %s" % type(path).__name__)
    if len(text.encode("utf-8", "surrogatepass")) > _MAX_PATH_BYTES:
        raise _refusal(path, "it has more than %d bytes" % _MAX_PATH_BYTES)
    if not text or text == ".":
        raise _refusal(path, "it names all of the artifacts and not one of them")
    if text.startswith("/"):
        raise _refusal(path, "it is absolute; give it from the top of the artifacts on")
    parts = tuple(text.split("/"))
    for part in parts:
        fault = find_fault(part)
        if fault:
            raise _refusal(path, fault)
    return parts


def check_artifact_folder(path: Any) -> Tuple[str, ...]:
    """Return the parts of a folder's path among the artifacts; none for None and for empty text, the top.

    Raises:
        InvalidArtifactPathError: As for ``check_artifact_path``.
    """
    return () if path is None or (isinstance(path, str) and not path) else check_artifact_path(path)


def find_fault(part: str) -> Optional[str]:
    """Return why one part of a path cannot be a file's name everywhere, None where it can."""
    for pattern, fault in _FAULTS:
        if re.search(pattern, part):
            return fault % shown(part)
    if "%" in part and _hides_dots(part):
        return "its part %s would lead to another folder once it is decoded" % shown(part)
    if is_windows_device(part):
        return "Windows opens a device for %s" % shown(part)
    if len(part.encode("utf-8")) > _MAX_PART_BYTES:
        return "%s has more than %d bytes" % (shown(part), _MAX_PART_BYTES)
    if os.name == "nt" and re.search(_NOT_ON_WINDOWS, part):
        return '%s has one of <>:"|?*, which Windows has not in names' % shown(part)
    return None


def _hides_dots(part: str) -> bool:
    """Tell whether a part would be, or have in it, ``.`` or ``..`` if it was percent-decoded any number of times."""
    from urllib.parse import unquote  # costs 2 ms, and few names have a percent sign

    decoded = unquote(part)
    while decoded != part:
        part, decoded = decoded, unquote(decoded)
    return any(piece in (".", "..") for piece in re.split(r"[/\\]", decoded))


def _refusal(path: object, reason: str) -> InvalidArtifactPathError:
    message = "Artifact path %s is not legal: %s. Use a path such as 'plots/loss.png'."
    return InvalidArtifactPathError(message % (shown(path), reason), path=path, reason=reason)
