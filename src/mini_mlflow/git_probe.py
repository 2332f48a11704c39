"""What has changed in a checkout since its commit? A program of its own, as git may take long or hang.

``probe`` starts it, without its package. git is shown a repository folder made for the purpose: a copy of the index,
the real objects, and settings of ours. So nothing that the settings of the real one name can run (file system
monitors, hooks, filters, differs, pagers, helpers that fetch or ask), and nothing there is written or locked.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Mapping, Optional

DEADLINE_S = 10.0
MAX_DIFF_BYTES = 2**20
MAX_FILE_BYTES = 2**20  # of a file whose changes are shown
MAX_INDEX_BYTES = 256 * 2**20
_MAX_LIST_BYTES = 8 * 2**20
_MAX_CONFIG_BYTES = 2**20
_MOST_FILES_SHOWN = 500
_MAX_NAMES_BYTES = 24000  # Windows takes 32,767 characters for a whole command line
_MOST_FILES_NAMED = 1000
_MOST_FILES_ASKED = 10000
_LOOK_PERIOD_S = 0.2

# How files are compared; what else a repository sets does not come into it.
_SETTINGS = frozenset([
    "filemode", "symlinks", "ignorecase", "autocrlf", "eol", "precomposeunicode", "trustctime", "checkstat",
    "longpaths",
])  # fmt: skip
_SETTING = r"core\.(\w+)\n(true|false|yes|no|on|off|0|1|input|lf|crlf|native|default|minimal)"
_COMPARE = [
    "--no-pager", "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--ignore-submodules=dirty",
]  # fmt: skip
# Files that are there to hold secrets: named in the diff, never shown.
_SECRET_NAME = (
    r"(?is)(?:\.env|\.envrc|\.env\..*|.*\.env|[._]netrc|\.npmrc|\.pypirc|\.pgpass|\.htpasswd|\.dockercfg|\.git-credentials"
    r"|id_(?:rsa|dsa|ecdsa|ed25519)(?:\..*)?|.*\.(?:pem|key|p8|p12|pfx|jks|keystore|kdbx|ppk|tfvars|tfstate|token|secret)"
    r"|(?:.*[._-])?(?:credentials?|secrets?|passwords?|tokens?)(?:\.(?:json|ya?ml|toml|ini|cfg|conf|txt|xml|properties))?"
    r"|kubeconfig|service[_-]?account.*\.json)"
)
_SECRET_FOLDERS = frozenset([".ssh", ".aws", ".gnupg", ".kube", ".docker", ".azure", ".secrets", "secrets"])


class NoAnswerError(Exception):
    """Raise when nothing can be said."""


class Probe:
    """One look at a checkout.

    Attributes:
        found: What is known so far, for meta.yaml.
    """

    def __init__(self, root: str, git_dir: str, common_dir: str, commit: str, environ: Mapping[str, str]) -> None:
        """Get ready.

        Args:
            root: The folder that was checked out.
            git_dir: Where HEAD and the index lie.
            common_dir: Where the objects lie.
            commit: What to compare with.
            environ: Where things lie on this machine; git gets nothing else of it.
        """
        self.found: Dict[str, Any] = {}
        self._root, self._git_dir, self._common_dir, self._commit = root, git_dir, common_dir, commit
        self._environ = {name: value for name, value in environ.items() if name not in ("PATH", "TMPDIR")}
        self._environ.update(LC_ALL="C", GIT_TERMINAL_PROMPT="0", GIT_OPTIONAL_LOCKS="0", GIT_NO_LAZY_FETCH="1")
        self._environ.update(GIT_NO_REPLACE_OBJECTS="1", GIT_LITERAL_PATHSPECS="1", GIT_ALLOW_PROTOCOL="none")
        self._git = find_git(environ.get("PATH", ""), root, environ.get("HOME", ""))
        self._answering, self._starting = threading.Lock(), threading.Lock()
        self._is_over = False
        self._places = [environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")]
        self._folder = ""
        self._child: Optional[subprocess.Popen[bytes]] = None

    def look(self, *, is_masked: bool) -> bytes:
        """Fill in ``found``, and return the changes as text: what may be shown of them.

        Args:
            is_masked: Whether secrets are hidden.

        Raises:
            NoAnswerError: There is no git, or it does not answer.
            OSError: The disk refused.
        """
        self._make_folder()
        if not self._is_trusted():
            raise NoAnswerError
        self._make_repository()
        changed = self._list_changed()
        self.found["git_dirty"] = bool(changed)
        return self._show(changed, is_masked=is_masked) if changed else b""

    def clear(self) -> None:
        """Stop git, and remove the folder that it was shown."""
        with self._starting:
            self._is_over = True
        if self._child is not None and self._child.poll() is None:
            kill(self._child)
        if self._folder:
            for name in [*list_names(self._folder), ""]:
                remove(os.path.join(self._folder, name))

    def answer(self, diff: bytes) -> None:
        """Give the answer, remove what was made, and end this program; of two threads that want to, one does.

        Args:
            diff: The changes as text.
        """
        self._answering.acquire()  # for good
        self.clear()
        head = json.dumps({"found": dict(self.found), "diff_bytes": len(diff)}).encode("ascii") + b"\n"
        data = head + diff
        while data:
            data = data[os.write(1, data) :]
        os._exit(0)

    def _make_folder(self) -> None:
        for place in [*self._places, "/tmp", "/var/tmp"]:
            if place and os.path.isabs(place) and os.path.isdir(place):
                self._folder = os.path.join(place, "mini-mlflow-git-" + os.urandom(8).hex())
                os.mkdir(self._folder, 0o700)
                os.chdir(self._folder)
                return
        raise NoAnswerError

    def _is_trusted(self) -> bool:
        """Tell whether git would look at this repository: it belongs to this user, or the user has said so to git."""
        if hasattr(os, "geteuid") and {os.stat(self._root).st_uid, os.stat(self._git_dir).st_uid} == {os.geteuid()}:
            return True
        try:
            self._run(["-C", self._root, "rev-parse", "--git-dir"], self._environ, _MAX_CONFIG_BYTES)
        except NoAnswerError:
            return False
        return True

    def _make_repository(self) -> None:
        """Make a repository folder that has the real index and objects, and of the settings what is harmless."""
        settings = self._run(["config", "--list", "-z"], {**self._environ, "GIT_DIR": self._git_dir}, _MAX_CONFIG_BYTES)
        lines = ["[core]", "bare = false", "bigFileThreshold = %d" % MAX_FILE_BYTES]
        for item in settings.decode("utf-8", "replace").split("\0"):
            match = re.fullmatch(_SETTING, item)
            if match and match.group(1) in _SETTINGS:
                lines.append("%s = %s" % match.groups())
            elif item.startswith("core.worktree\n"):
                place = os.path.join(self._git_dir, item.partition("\n")[2])
                if os.path.realpath(place) != os.path.realpath(self._root):
                    raise NoAnswerError  # its files are elsewhere
        is_sha256 = len(self._commit) == 64
        lines.append("repositoryformatversion = %d" % is_sha256)
        lines += ["[extensions]", "objectFormat = sha256"] if is_sha256 else []
        for name, text in (("config", "\n".join(lines)), ("HEAD", self._commit)):
            with open(os.path.join(self._folder, name), "w", encoding="ascii") as file:
                file.write(text + "\n")
        os.mkdir(os.path.join(self._folder, "refs"))
        for name in list_names(self._git_dir):
            source = os.path.join(self._git_dir, name)
            if (name == "index" or name.startswith("sharedindex.")) and os.path.isfile(source):
                copy(source, os.path.join(self._folder, name))
        self._environ.update(HOME=self._folder, XDG_CONFIG_HOME=self._folder, USERPROFILE=self._folder)
        self._environ.update(GIT_CONFIG_NOSYSTEM="1", GIT_ATTR_NOSYSTEM="1", GIT_CONFIG_GLOBAL=os.devnull)
        self._environ.update(GIT_DIR=self._folder, GIT_WORK_TREE=self._root)
        self._environ.update(GIT_OBJECT_DIRECTORY=os.path.join(self._common_dir, "objects"))

    def _list_changed(self) -> List[str]:
        """Return the names of the files that differ from the commit; where they are very many, the first."""
        listed = self._run([*_COMPARE, "--name-only", "-z", self._commit, "--"], self._environ, _MAX_LIST_BYTES)
        names = os.fsdecode(listed).split("\0")
        self.found["git_changed_files"] = len(names) - 1
        return names[:-1]  # behind the last NUL there is nothing, or a name that was cut

    def _show(self, changed: List[str], *, is_masked: bool) -> bytes:
        """Return the changes that may be shown, and the names of the files whose may not."""
        filtered = self._list_filtered(changed)
        shown: List[str] = []
        remarks: List[str] = []
        room = _MAX_NAMES_BYTES
        for number, name in enumerate(changed):
            reason = self._reason_to_hide(name, filtered) if number < _MOST_FILES_ASKED else "too many"
            room -= 0 if reason else len(os.fsencode(name)) + 3
            if not reason and len(shown) < _MOST_FILES_SHOWN and room > 0:
                shown.append(name)
            elif len(remarks) < _MOST_FILES_NAMED:
                remarks.append("# Not shown: %s (%s)\n" % (printable(name), reason or "too many"))
        if len(shown) + len(remarks) < len(changed):
            remarks.append("# Not shown: %d more\n" % (len(changed) - len(shown) - len(remarks)))
        diff = b""
        if shown:
            arguments = [*_COMPARE, "--patch", "--unified=3", "--src-prefix=a/", "--dst-prefix=b/", self._commit, "--"]
            diff = self._run([*arguments, *shown], self._environ, MAX_DIFF_BYTES)
        if len(diff) > MAX_DIFF_BYTES:
            remarks.append("# Cut after %d bytes\n" % MAX_DIFF_BYTES)
            diff = diff[: diff.rfind(b"\n", 0, MAX_DIFF_BYTES) + 1]
        text = "".join(remarks) + diff.decode("utf-8", "surrogateescape")
        if is_masked:
            import masking  # type: ignore[import-not-found]  # from this very folder: there is no package here

            text = masking.hide(text)
        return text.encode("utf-8", "surrogateescape")

    def _list_filtered(self, names: List[str]) -> Dict[str, str]:
        """Return which files a filter stands before: what lies on the disk is not what git would keep.

        Raises:
            NoAnswerError: git does not say so.
        """
        asked = names[:_MOST_FILES_ASKED]
        given = b"".join(os.fsencode(name) + b"\0" for name in asked)
        answer = self._run(["check-attr", "-z", "--stdin", "filter"], self._environ, _MAX_LIST_BYTES, given)
        parts = os.fsdecode(answer).split("\0")
        if len(parts) != 3 * len(asked) + 1:
            raise NoAnswerError  # git before 1.8.5 answers otherwise
        return {
            name: value for name, value in zip(parts[0::3], parts[2::3]) if value not in ("unspecified", "unset", "set")
        }

    def _reason_to_hide(self, name: str, filtered: Dict[str, str]) -> str:
        parts = name.split("/")
        if name.startswith("/") or ".." in parts:
            return "outside"
        if re.fullmatch(_SECRET_NAME, parts[-1]) or _SECRET_FOLDERS & {part.lower() for part in parts[:-1]}:
            return "may hold secrets"
        if name in filtered:
            return "filter %s" % printable(filtered[name])
        try:
            size = os.lstat(os.path.join(self._root, name)).st_size
        except OSError:
            return ""  # removed
        return "%d bytes" % size if size > MAX_FILE_BYTES else ""

    def _run(self, arguments: List[str], environ: Dict[str, str], most: int, given: bytes = b"") -> bytes:
        """Run git, and return what it says: at most a byte more than *most*, then it is stopped.

        Raises:
            NoAnswerError: There is none, or it fails.
        """
        if self._git is None:
            raise NoAnswerError
        with self._starting:
            if self._is_over:
                raise NoAnswerError
            self._child = child = subprocess.Popen(
                [self._git, *arguments],
                stdin=subprocess.PIPE if given else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environ,
                start_new_session=True,
            )
        if child.stdin is not None:
            # It reads all before it answers, or answers in between: both must go on.
            threading.Thread(target=feed, args=(child.stdin, given), daemon=True).start()
        assert child.stdout is not None
        data = child.stdout.read(most + 1)
        if len(data) > most:
            kill(child)
        elif child.wait() != 0:
            raise NoAnswerError
        return data


def find_git(path: str, root: str, home: str) -> Optional[str]:
    """Return where git is installed, None where it is not.

    Args:
        path: As in the variable PATH; what of it is relative does not count, nor the current folder.
        root: The folder that was checked out; nothing in it counts.
        home: The user's home folder, where programs may be although all of it is checked out.
    """
    root = comparable(root)
    excluded = {root, comparable(os.curdir)}
    inside = os.path.join(root, "")
    is_home_inside = not home or os.path.join(comparable(home), "").startswith(inside)
    for folder in path.split(os.pathsep):
        if not os.path.isabs(folder) or comparable(folder) in excluded:
            continue
        if comparable(folder).startswith(inside) and not is_home_inside:
            continue
        program = os.path.join(folder, "git.exe" if os.name == "nt" else "git")
        if os.path.isfile(program) and os.access(program, os.X_OK):
            return program
    return None


def comparable(path: str) -> str:
    """Return a path in the one spelling that a folder has."""
    return os.path.normcase(os.path.realpath(path))


def copy(source: str, target: str) -> None:
    """Copy a file of git's index with its time, from which git tells what it must look at again."""
    with open(source, "rb") as old, open(target, "xb") as new:
        status = os.fstat(old.fileno())
        if status.st_size > MAX_INDEX_BYTES:
            raise NoAnswerError
        part = old.read(2**20)
        while part:
            new.write(part)
            part = old.read(2**20)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def feed(pipe: Any, data: bytes) -> None:
    """Write *data* into a pipe whose reader may go away."""
    try:
        pipe.write(data)
        pipe.close()
    except OSError:
        pass


def kill(child: subprocess.Popen[bytes]) -> None:
    """End a program and what it has started."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(child.pid, 9)
        else:
            child.kill()
    except OSError:
        pass


def list_names(folder: str) -> List[str]:
    """Return what lies in a folder, nothing where it is gone."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def printable(name: str) -> str:
    """Return a file's name as one line of text."""
    return name if name.isprintable() else json.dumps(name)


def remove(path: str) -> None:
    """Remove a file or an empty folder."""
    try:
        os.rmdir(path) if os.path.isdir(path) else os.unlink(path)
    except OSError:
        pass


def watch(probe: Probe, parent: int, is_unwanted: threading.Event) -> None:
    """End this program when its time is over, or when nobody is there any more to hear its answer."""
    until = monotonic() + DEADLINE_S
    while not is_unwanted.wait(_LOOK_PERIOD_S) and monotonic() < until and (os.name == "nt" or is_there(parent)):
        pass
    probe.answer(b"")


def is_there(process: int) -> bool:
    """Tell whether a process lives; it is not the parent of this one."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # it has become another user's
    return True


def main(arguments: List[str], environ: Mapping[str, str]) -> None:
    """Look at a checkout, write what was found to standard output, and end.

    Args:
        arguments: The process that asks, ``on`` or ``off`` for masking, and what ``Probe`` takes.
        environ: Where things lie on this machine.
    """
    try:
        os.getcwd()
    except OSError:  # it was removed
        os.chdir(os.sep)
    parent, masking_wanted, root, git_dir, common_dir, commit = arguments
    probe = Probe(root, git_dir, common_dir, commit, environ)
    is_unwanted = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: is_unwanted.set())
    threading.Thread(target=watch, args=(probe, int(parent), is_unwanted), daemon=True).start()
    diff = b""
    try:
        diff = probe.look(is_masked=masking_wanted == "on")
    except (NoAnswerError, OSError, ValueError):
        pass
    probe.answer(diff)
