"""Is a meta.yaml as it should be, that of a run and that of an experiment?

Rules S3, S5, Y1 to Y4, E1, E5, E6, W6 and L4 of docs/format.md.
"""

from __future__ import annotations

import json
from unicodedata import normalize

from .. import clock
from ..errors import BrokenFileError, UnsupportedFormatError
from ..keys import END_STATUSES, check_experiment_id
from ..store import documents, experiments, mending, meta, mlflow_layout
from .findings import ERROR, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional, Tuple, Union

    from .findings import Faults

_RUNNING = "RUNNING"
_MOST_RESUMES = 50
_MAX_EXPERIMENT_BYTES = meta.MAX_META_BYTES // 2


def check_run_meta(path: str, run_id: str, experiment_id: str, faults: Faults) -> Optional[Dict[str, Any]]:
    """Look at a meta.yaml of a run; return its fields, None where there are none that this version could read.

    Args:
        path: The file.
        run_id: The name of the run's folder.
        experiment_id: That of the experiment's.
        faults: Gets what is wrong.
    """
    found = _read(path, faults)
    if found is None:
        return None
    data, fields = found
    if "format" not in fields:
        if not mlflow_layout.is_run(fields):
            _check_status(path, fields, faults)
        return fields
    try:
        meta.check_format(fields, path)
    except UnsupportedFormatError:
        text = "is in format %.40r, which this version does not know. Update: pip install -U mini-mlflow"
        faults.add("S5", ERROR, path, text % (fields["format"],))
        return None
    _check_form(path, data, fields, faults)
    _check_ids(path, data, {"run_id": run_id, "experiment_id": experiment_id}, fields, faults)
    _check_status(path, fields, faults)
    _check_times(path, fields, faults)
    _check_rest(path, fields, faults)
    return fields


def check_experiment_meta(path: str, experiment_id: str, faults: Faults) -> Dict[str, Any]:
    """Look at the meta.yaml of an experiment; return its fields, none where it has none or they cannot be read."""
    found = _read(path, faults)
    if found is None:
        return {}
    data, fields = found
    if "format" not in fields:
        return fields  # MLflow's, or somebody's own
    try:
        meta.check_format(fields, path)
    except UnsupportedFormatError:
        text = "is in format %.40r, which this version does not know. Update: pip install -U mini-mlflow"
        faults.add("S5", ERROR, path, text % (fields["format"],))
        return {}
    _check_form(path, data, fields, faults)
    _check_ids(path, data, {"experiment_id": experiment_id}, fields, faults)
    name = fields.get("name")
    if not isinstance(name, str):
        faults.add("Y3", ERROR, path, "its name is %.60s, no text: the id stands for it" % documents.encode_json(name))
    elif normalize("NFC", name) != name:
        text = "its name is not in Unicode's form NFC"
        mended = {"name": normalize("NFC", name)}
        mend = None if _has_comments(data, fields) else lambda: mending.change_fields(path, mended)
        faults.add("E1", WARNING, path, text, mend and "writes it in that form; it looks the same", mend)
    stage = fields.get("lifecycle_stage")
    if stage not in (experiments.ACTIVE, experiments.DELETED):
        text = "its lifecycle_stage is %.60s, neither active nor deleted: it counts as active"
        faults.add("Y3", WARNING, path, text % documents.encode_json(stage))
    for field in ("creation_time", "last_update_time", "deleted_time"):
        if field != "creation_time" and field not in fields:
            continue
        if type(fields.get(field)) is not int:
            text = "its %s is %.60s, no time in milliseconds"
            rule = "E6" if field == "deleted_time" else "Y3"
            faults.add(rule, WARNING, path, text % (field, documents.encode_json(fields.get(field))))
    if not isinstance(fields.get("tags", {}), dict):
        faults.add("E5", ERROR, path, "its tags are no JSON object, so none are read")
    if len(data) > _MAX_EXPERIMENT_BYTES:
        faults.add("E5", WARNING, path, "has %d bytes, more than 512 KiB: it cannot be changed" % len(data))
    return fields


def _read(path: str, faults: Faults) -> Optional[Tuple[bytes, Dict[str, Any]]]:
    try:
        data = documents.read(path, meta.MAX_META_BYTES)
        if mending.is_blank(data):
            faults.add("D1", ERROR, path, "is empty" if not data else "holds nothing but NUL bytes: a power cut")
            return None
        return data, meta.decode(data, path)
    except FileNotFoundError:
        return None
    except (OSError, BrokenFileError) as error:
        faults.unreadable(path, error, "Y4")
        return None


def _check_form(path: str, data: bytes, fields: Dict[str, Any], faults: Faults) -> None:
    """Tell of a file that YAML reads, and that is not one ``name: <JSON value>`` per line."""
    fault = _find_odd_line(data, fields)
    if fault is None:
        return
    rule, text = fault
    if b"#" in data or meta.decode(meta.encode(fields), path) != fields:  # a comment would be lost
        faults.add(rule, WARNING, path, text)
        return
    repair = "writes it anew in the form of rule Y1, with the same fields"
    faults.add(rule, WARNING, path, text, repair, lambda: mending.change_fields(path, {}))


def _find_odd_line(data: bytes, fields: Dict[str, Any]) -> Optional[Tuple[str, str]]:
    """Return which rule is broken first, and how; None where every line is as it should be."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return "Y1", "is not UTF-8"
    if not text.endswith("\n"):
        return "Y1", "does not end in a line break"
    for number, line in enumerate(text[:-1].split("\n"), 1):
        try:
            key, value = _split(line)
        except (ValueError, RecursionError):
            return "Y1", "line %d is not of the form name: <JSON value>" % number
        if not line.startswith(meta.encode({key: 0})[:-2].decode("utf-8")):
            return "Y1", "the name in line %d is to be a JSON string" % number
        if key not in fields or documents.encode_json(fields[key]) != documents.encode_json(value):
            return "Y2", "YAML and JSON read the value in line %d differently" % number
        odd = next((letter for letter in line if letter > "~" and b"\\u" in meta.encode({"x": letter})), None)
        if odd is not None:
            return "Y2", "line %d has the character U+%04X, which is to be escaped" % (number, ord(odd))
    return None


def _split(line: str) -> Tuple[str, Any]:
    """Return the name and the value of a line.

    Raises:
        ValueError: It is not of the form.
    """
    if not line.startswith('"'):
        key, colon, value = line.partition(": ")
        if not colon or not key.isidentifier():
            raise ValueError(line)
        return key, json.loads(value)
    key, end = json.JSONDecoder().raw_decode(line)
    if not isinstance(key, str) or line[end : end + 2] != ": ":
        raise ValueError(line)
    return key, json.loads(line[end + 2 :])


def _check_ids(path: str, data: bytes, folders: Dict[str, str], fields: Dict[str, Any], faults: Faults) -> None:
    """Look whether the ids in the file are the names of the folders, which count (rules S2 and S3)."""
    changes: Dict[str, Any] = {}
    for field, name in folders.items():
        found = fields.get(field)
        if found is not None and str(found) != name:
            changes[field] = _id_of(name) if field == "experiment_id" else name
    if not changes:
        return
    said = " and ".join("its %s is %.60s" % (field, documents.encode_json(fields[field])) for field in changes)
    text = "%s, but it lies in %s, which counts" % (said, "/".join(reversed(list(folders.values()))))
    rule = "S2" if len(folders) == 1 else "S3"
    mend = None if _has_comments(data, fields) else lambda: mending.change_fields(path, changes)
    faults.add(rule, WARNING, path, text, mend and "writes the folder's name there", mend)


def _id_of(folder: str) -> Union[int, str]:
    try:
        return check_experiment_id(folder)
    except ValueError:
        return folder


def _has_comments(data: bytes, fields: Dict[str, Any]) -> bool:
    """Tell whether something would be lost if the file was written anew: a line of ours holds no comment."""
    return b"#" in data and _find_odd_line(data, fields) is not None


def _check_status(path: str, fields: Dict[str, Any], faults: Faults) -> None:
    status = fields.get("status")
    if status in END_STATUSES or status == _RUNNING:
        return
    rule = "L4" if status == "LOST" else "Y3" if "format" in fields else "F1"
    if status is None:
        faults.add(rule, WARNING, path, "does not say how the run stands")
    else:
        text = "its status is %.60s, none of RUNNING, FINISHED, FAILED and KILLED"
        faults.add(rule, ERROR, path, text % documents.encode_json(status))


def _check_times(path: str, fields: Dict[str, Any], faults: Faults) -> None:
    start, end = fields.get("start_time"), fields.get("end_time")
    form = "no time of the form 2026-11-24T22:49:07.398721Z"
    if not clock.is_time(start):
        text = "its start_time is %.60s, %s: the file's own time stands for it"
        faults.add("Y3", WARNING, path, text % (documents.encode_json(start), form))
    if end is not None and not clock.is_time(end):
        faults.add("Y3", WARNING, path, "its end_time is %.60s, %s" % (documents.encode_json(end), form))
    elif fields.get("status") == _RUNNING and end is not None:
        faults.add("Y3", WARNING, path, "its end_time is set though it is RUNNING")
    elif fields.get("status") in END_STATUSES and end is None:
        faults.add("Y3", WARNING, path, "its end_time is missing though it has ended")


def _check_rest(path: str, fields: Dict[str, Any], faults: Faults) -> None:
    generation, resumes = fields.get("generation", 0), fields.get("resumes", [])
    if type(generation) is not int or generation < 0:
        text = "its generation is %.60s, no number from 0: it counts as 0"
        faults.add("W6", WARNING, path, text % documents.encode_json(generation))
    for field in ("name", "version", "parent_run_id"):
        if isinstance(fields.get(field), (dict, list)):
            faults.add("Y3", WARNING, path, "its %s is no text" % field)
    if not isinstance(resumes, list) or not all(isinstance(each, dict) for each in resumes):
        faults.add("Y3", WARNING, path, "its resumes are no list of objects")
    elif len(resumes) > _MOST_RESUMES:
        faults.add("Y3", WARNING, path, "it keeps %d resumes, more than the last %d" % (len(resumes), _MOST_RESUMES))
