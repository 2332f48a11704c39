"""Which run goes on when the same is asked for again?"""

from __future__ import annotations

from . import config, keys
from .errors import InvalidIdError, InvalidValueError, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

_JOB_BEGINNINGS = ("slurm-", "pbs-", "lsf-", "sge-")


def resumable_id(resume: Optional[str], run_name: Any = None) -> Optional[str]:
    """Return the id of the run that goes on whenever the same is asked for again; None: a new run.

    Args:
        resume: ``auto``: the scheduler's job decides; a job that is put back into the queue keeps its id, and each task
            of an array has its own. Outside of a job, the run is a new one. Any other text: a name of the user's, which
            is the id where it is a plain one in lower case, else an id that resembles it. Two names never give the
            same id, not even where a disk takes upper and lower case for one. None: a new run.
        run_name: With ``auto``: tells apart several runs of one job. None: the job has one.

    Raises:
        InvalidValueError: *resume* is no text, or empty.
    """
    if resume is None:
        return None
    if not resume or not isinstance(resume, str):
        message = (
            "resume must be 'auto' (the scheduler's job tells which run goes on), a name of yours, or None: got %s."
        )
        raise InvalidValueError(message % shown(resume), value=resume)
    if resume != "auto":
        return resume if _is_its_own_id(resume) else _derived_id(resume)
    job = _job_of(config.job_ids())
    if job is None:
        return None
    if run_name is not None:
        return _derived_id(job, str(run_name))
    return job if _is_plain(job) else _derived_id(job)


def _job_of(ids: Dict[str, str]) -> Optional[str]:
    """Return what names a job over all its attempts, None where there is none.

    Args:
        ids: As ``config.job_ids``.
    """
    if ids.get("SLURM_JOB_ID"):
        # All tasks of an array have a job id of their own too, but people know them by these two numbers.
        array, task = ids.get("SLURM_ARRAY_JOB_ID"), ids.get("SLURM_ARRAY_TASK_ID")
        job = "%s_%s" % (array, task) if array and task else ids["SLURM_JOB_ID"]
        return "-".join(filter(None, ["slurm", ids.get("SLURM_CLUSTER_NAME"), job]))
    if ids.get("PBS_JOBID"):
        index = ids.get("PBS_ARRAY_INDEX")  # PBS Pro has it in the job's id too: 12[3].server
        return "-".join(filter(None, ["pbs", ids["PBS_JOBID"], index]))
    for scheduler, name, task in (("lsf", "LSB_JOBID", "LSB_JOBINDEX"), ("sge", "JOB_ID", "SGE_TASK_ID")):
        if ids.get(name):
            index = ids.get(task)
            return "-".join(filter(None, [scheduler, ids[name], None if index in ("0", "undefined") else index]))
    return None


def _is_its_own_id(name: str) -> bool:
    """Tell whether a name of the user's may be an id as it stands: no other name, and no job, has that one."""
    return _is_plain(name) and not name.startswith(_JOB_BEGINNINGS)


def _is_plain(text: str) -> bool:
    """Tell whether a text is a legal id on every disk, and not in the form of a derived one."""
    if text != text.lower() or (text[-17:-16] == "-" and not text[-16:].strip("0123456789abcdef")):
        return False
    try:
        return bool(keys.check_run_id(text))
    except InvalidIdError:
        return False


def _derived_id(*parts: str) -> str:
    """Return a legal id that resembles a text and is no other text's: what can be read of it, and a hash."""
    from hashlib import sha256  # costs 1 ms, and most runs need none

    digest = sha256(ascii(parts).encode("ascii")).hexdigest()[:16]
    letters = [letter if letter.isascii() and letter.isalnum() else "-" for letter in "-".join(parts).lower()]
    words = "-".join([word for word in "".join(letters).split("-") if word])
    return "%s-%s" % (words[:100].rstrip("-") or "run", digest)
