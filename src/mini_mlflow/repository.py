"""Which commit and branch are checked out in the repository of a folder, read from its files, without git?

Nothing is run, and links, devices and pipes in place of the files are left alone: a repository may be anybody's.
"""

from __future__ import annotations

import os
import re
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterator, Optional, Tuple

_MOST_PARENTS = 64
_MOST_HOPS = 5  # from one symbolic name to the next
_MAX_SMALL_BYTES = 4096
_MAX_CONFIG_BYTES = 256 * 1024
_MAX_PACKED_BYTES = 32 * 2**20
_COMMIT = r"[0-9a-f]{40}(?:[0-9a-f]{24})?"  # SHA-1 or SHA-256
_NAME = r"refs/[^\x00-\x20\x7f~^:?*\[\\]{1,500}"
_SECTION = r'\[\s*([A-Za-z0-9.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\](.*)'
_VALUE = r'"((?:[^"\\]|\\.)*)"?|([^"#;\\]+)|\\(.)|([#;])'


class Repository:
    """What the files of a repository say.

    Attributes:
        root: The folder that was checked out.
        git_dir: Where HEAD and the index of this checkout lie.
        common_dir: Where objects, branches and settings lie; another folder in a worktree.
        commit: The commit that is checked out, in hex; None before the first.
        branch: The branch's name; None where none is checked out.
        remote: The address it was cloned from, without user and password; None where there is none.
    """

    def __init__(self, root: str, git_dir: str) -> None:
        """Read what the files say.

        Args:
            root: The folder that was checked out.
            git_dir: Where its HEAD lies.
        """
        self.root = root
        self.git_dir = git_dir
        common = _read(os.path.join(git_dir, "commondir"), _MAX_SMALL_BYTES)
        self.common_dir = (_path(git_dir, common) if common else None) or git_dir
        name, self.commit = self._resolve()
        self.branch = name[11:] if name is not None and name.startswith("refs/heads/") else None
        self.remote = self._find_remote()

    def _resolve(self) -> Tuple[Optional[str], Optional[str]]:
        """Return the name that HEAD stands for, and the commit behind it."""
        text = _read(os.path.join(self.git_dir, "HEAD"), _MAX_SMALL_BYTES) or ""
        first = name = None
        for _ in range(_MOST_HOPS):
            if not text.startswith("ref:"):
                return first, text.strip() if re.fullmatch(_COMMIT, text.strip()) else None
            name = text[4:].strip()
            if not _is_name(name):
                break
            first = first or name
            text = self._find_loose(name) or self._find_packed(name) or ""
        return first, None

    def _find_loose(self, name: str) -> Optional[str]:
        for folder in (self.git_dir, self.common_dir):
            text = _read(os.path.join(folder, *name.split("/")), _MAX_SMALL_BYTES)
            if text:
                return text
        return None

    def _find_packed(self, name: str) -> Optional[str]:
        text = _read(os.path.join(self.common_dir, "packed-refs"), _MAX_PACKED_BYTES) or ""
        place = text.find(" %s\n" % name)  # a pattern would take a tenth of a second for a hundred thousand names
        commit = text[max(place - 65, 0) : max(place, 0)].rpartition("\n")[2]
        return commit if re.fullmatch(_COMMIT, commit) else None

    def _find_remote(self) -> Optional[str]:
        text = _read(os.path.join(self.common_dir, "config"), _MAX_CONFIG_BYTES) or ""
        urls: Dict[str, str] = {}
        for section, name, key, value in _settings(text):
            if section == "remote" and key == "url" and value:
                urls.setdefault(name, value)
        url = urls.get("origin") or next(iter(urls.values()), None)
        return None if url is None else without_login(url)


def find(folder: str) -> Optional[Repository]:
    """Return the repository that a folder lies in, on the same disk; None where there is none.

    Args:
        folder: An absolute path without links.
    """
    try:
        device = os.stat(folder).st_dev
        for _ in range(_MOST_PARENTS):
            git_dir = _git_dir(folder)
            if git_dir is not None:
                return Repository(folder, git_dir)
            parent = os.path.dirname(folder)
            # Like git: what lies above a mount is somebody else's, and to look there may wake an automounter.
            if parent == folder or os.stat(parent).st_dev != device:
                break
            folder = parent
    except (OSError, ValueError):
        pass
    return None


def without_login(url: str) -> Optional[str]:
    """Return the address of a remote without user, password, token and query; None for one that runs a program."""
    if "::" in url.partition("/")[0] or len(url) > 1000 or not url.isprintable():
        return None
    scheme, separator, rest = url.partition("://")
    if not separator:
        login, at, place = url.rpartition("@")
        is_login = at and ":" in place and "/" not in login
        return place if is_login and login != "git" else url
    rest = re.split(r"[?#]", rest)[0]
    authority = rest.partition("/")[0]
    if "@" in authority:
        rest = authority.rpartition("@")[2] + rest[len(authority) :]
    elif "@" in rest and re.search(r":(?!\d+$)(?!$)", authority) and not authority.startswith("["):
        rest = rest.rpartition("@")[2]  # a slash in the password
    return scheme + separator + rest


def _git_dir(folder: str) -> Optional[str]:
    """Return where the HEAD of a checkout in this very folder lies, None where there is none."""
    path = os.path.join(folder, ".git")
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return None
    if stat.S_ISREG(mode):
        text = _read(path, _MAX_SMALL_BYTES) or ""
        found = _path(folder, text[8:]) if text.startswith("gitdir: ") else None
    else:
        found = path if stat.S_ISDIR(mode) or (stat.S_ISLNK(mode) and os.path.isdir(path)) else None
    return found if found is not None and os.path.isfile(os.path.join(found, "HEAD")) else None


def _path(folder: str, text: str) -> Optional[str]:
    path = text.rstrip("\r\n")
    if not path or "\0" in path or (os.name == "nt" and path[:2] in ("//", "\\\\")):
        return None  # Windows would ask another machine
    return os.path.normpath(os.path.join(folder, path))


def _is_name(name: str) -> bool:
    return re.fullmatch(_NAME, name) is not None and not {"", ".", ".."} & set(name.split("/"))


def _read(path: str, most: int) -> Optional[str]:
    """Return the text of a regular file, None where there is none or it is longer."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        # Asked first: to open a device may do something.
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return None
        descriptor = os.open(path, flags | getattr(os, "O_CLOEXEC", 0))
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size > most:
                return None
            return os.read(descriptor, most).decode("utf-8", "surrogateescape")
        finally:
            os.close(descriptor)
    except (OSError, ValueError):
        return None


def _settings(text: str) -> Iterator[Tuple[str, str, str, str]]:
    """Yield section, its name, key and value of a git configuration; other files that it names are not read."""
    section = name = ""
    for raw in text.replace("\\\r\n", "").replace("\\\n", "").splitlines():
        line = raw.strip()
        match = re.match(_SECTION, line)
        if match:
            section, name = match.group(1).lower(), re.sub(r"\\(.)", r"\1", match.group(2) or "")
            line = match.group(3).strip()
        key, equals, value = line.partition("=")
        if equals and key[:1].isalpha():
            yield section, name, key.strip().lower(), _plain(value.strip())


def _plain(value: str) -> str:
    """Return a value without its quotes and the remark behind it."""
    parts = []
    for quoted, bare, escaped, remark in re.findall(_VALUE, value):
        if remark:
            break
        parts.append(re.sub(r"\\(.)", r"\1", quoted) if quoted else bare or escaped)
    return "".join(parts).strip()
