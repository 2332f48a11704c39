"""How is everything in a store called, and which file name does a key get?

The only module that spells the names of files and folders (docs/format.md, rules S1 and K2 to K6).
"""

from __future__ import annotations

import os
import re
from functools import lru_cache

from .keys import is_simple, is_windows_device

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

FORMAT_VERSION = 1

META = "meta.yaml"
OWNER = "owner.json"
PARAMS = "params"
METRICS = "metrics"
TAGS = "tags"
WRITERS = "writers"
RUN_PARTS = (PARAMS, METRICS, TAGS, WRITERS)  # one of these tells a run, or half of one, where meta.yaml is missing
ARTIFACTS = "artifacts"
TRASH = ".trash"
PACKS = ".packs"
LOCK = ".lock"
TOLD = "told.json"
TEMPORARY = ".tmp-"

PACK_ENDING = ".zip"
_OUT_ENDING = ".out"
_ENDING = ".json"
_MAX_NAME_BYTES = 255
_HASH_LENGTH = 16
_MAX_STEM_BYTES = _MAX_NAME_BYTES - len(_ENDING)
_UNSAFE = r'[/\\<>:"|?*\x00-\x1f\x7f-\x9f\ud800-\udfff]|^\.|%(?=[0-9A-Fa-f]{2})'
_SHORT = 200  # characters that fit with any ending
_NUMBERED = r"~[0-9]+\Z"
_LOOKS_HASHED = r"~[0-9a-f]{16}\Z"
_UNIT = r"(?s:%[0-9A-F]{2}|.)"


def experiment_folder(runs_dir: str, experiment_id: Union[int, str]) -> str:
    """Return the folder of an experiment."""
    return os.path.join(runs_dir, str(experiment_id))


def trash_folder(runs_dir: str, experiment_id: Union[int, str]) -> str:
    """Return the folder of an experiment's deleted runs (rule T1)."""
    return os.path.join(runs_dir, str(experiment_id), TRASH)


def trash_name(run_id: str, number: int) -> str:
    """Return what a deleted run is called in the trash, the *number*-th of its id, from 1 on (rule T2)."""
    return run_id if number == 1 and not re.search(_NUMBERED, run_id) else "%s~%d" % (run_id, number)


def run_id_in_trash(name: str) -> str:
    """Return the id of the run that is called so in the trash (rule T2)."""
    return re.sub(_NUMBERED, "", name)


def packs_folder(experiment_folder: str) -> str:
    """Return the folder of an experiment's packed runs (rule Z1)."""
    return os.path.join(experiment_folder, PACKS)


def pack_name(run_id: str, digest: str) -> str:
    """Return what a pack is called whose first run has this id (rule Z1)."""
    return "%s-%s%s" % (run_id, digest, PACK_ENDING)


def out_mark(pack_name: str, run_id: str) -> str:
    """Return the name of the empty file that says that a run is not in that pack any more (rule Z4)."""
    return "%s~%s%s" % (pack_name[: -len(PACK_ENDING)].rpartition("-")[2], run_id, _OUT_ENDING)


def is_out_mark(name: str) -> bool:
    """Tell whether this is the name of such a file."""
    return name.endswith(_OUT_ENDING) and not name.startswith(".")


def run_folder(runs_dir: str, experiment_id: Union[int, str], run_id: str) -> str:
    """Return the folder of a run."""
    return os.path.join(runs_dir, str(experiment_id), run_id)


def writer_name(host: str, pid: int, random: str) -> str:
    """Return a name for a folder under ``writers/`` (rule W7)."""
    return "%s-%d-%s" % (re.sub(r"[^A-Za-z0-9-]", "-", host)[:40] or "host", pid, random)


def heir_mark(generation: int) -> str:
    """Return the name of the empty folder under ``writers/`` that says that this generation has its heir (rule W6)."""
    return ".resume-%d" % generation


def join_mark(generation: int) -> str:
    """Return the name of the folder under ``writers/`` of the first one who joins for its environment (rule W13)."""
    return ".joined-%d" % generation


def heir_name(generation: int, random: str) -> str:
    """Return the name of the folder under ``writers/`` of the one who resumes a run in this generation (rule W6)."""
    return "resume-%d-%s" % (generation, random)


def file_name(stem: str) -> str:
    """Return the file name of a document whose stem is *stem*."""
    return stem + _ENDING


def stem_of(name: str) -> Union[str, None]:
    """Return the stem of a document's file name, or None for a file that is no document (rule S4)."""
    if not name.endswith(_ENDING) or name.startswith("."):
        return None
    return name[: -len(_ENDING)] or None


def plain_stem(key: str) -> str:
    """Return the stem that *key* gets where no other key is in its way (rules K2 to K4)."""
    if len(key) <= _SHORT and key[:1] != "." and is_simple(key) and not is_windows_device(key):
        return key
    stem = _encode(key)
    if is_windows_device(key) or len(stem.encode("utf-8")) > _MAX_STEM_BYTES:
        return hashed_stem(key)
    return stem


@lru_cache(1024)  # who reads many runs asks for the same few keys
def hashed_stem(key: str) -> str:
    """Return the stem that *key* gets where its plain one is not to be had (rules K3 to K5)."""
    from hashlib import sha256  # costs 1 ms, and few keys need it

    digest = sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_LENGTH]
    room = _MAX_STEM_BYTES - _HASH_LENGTH - 1
    encoded = _encode(key)
    if is_windows_device(key):
        encoded = encoded.replace(".", "%2E", 1)  # Windows looks at what stands before the first dot
    prefix, used = [], 0
    for unit in re.findall(_UNIT, encoded):
        used += len(unit.encode("utf-8"))
        if used > room:
            break
        prefix.append(unit)
    return "%s~%s" % ("".join(prefix), digest)


def fold(stem: str) -> str:
    """Return what is equal for two stems that some file system takes for one (rule K5)."""
    if stem.isascii():
        return stem.lower()
    from unicodedata import normalize  # only names beyond ASCII need it

    return normalize("NFC", normalize("NFC", stem).upper().casefold())


@lru_cache(4096)  # as above
def fits(stem: str, key: str) -> bool:
    """Tell whether a document named *stem* may hold *key* (rule K6)."""
    folded = fold(stem)
    return folded == fold(plain_stem(key)) or folded == fold(hashed_stem(key))


def _encode(key: str) -> str:
    """Percent-encode what a file name cannot have everywhere (rule K2)."""
    encoded = re.sub(_UNSAFE, lambda match: _percent(match.group()), key)
    if "~" in encoded and re.search(_LOOKS_HASHED, fold(encoded)):
        return "%7E".join(encoded.rsplit("~", 1))
    return encoded


def _percent(character: str) -> str:
    return "".join("%%%02X" % byte for byte in character.encode("utf-8", "surrogatepass"))
