"""Which id does a run get, and which name; which experiment has it, and whose child may it be?"""

from __future__ import annotations

import os
from time import time

from . import active, config, keys, layout
from .errors import AmbiguousRunError, InvalidIdError, InvalidValueError, MiniMLflowError, RunNotFoundError, shown
from .store import experiments, reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple, Union

_JOB_BEGINNINGS = ("slurm-", "pbs-", "lsf-", "sge-")
_QUALITIES = """
able agile airy alert amber ample apt ardent azure balmy bold brave breezy bright brisk bronze calm candid careful
cheerful chief civil clear clever cosmic cozy crisp curious daring deft eager early earnest easy elegant even fair
famous fancy fast fine fleet fluent fond frank free fresh friendly gentle gifted glad golden good graceful grand
green happy hardy hearty honest humble ideal jade jolly jovial joyful keen kind lasting lively loyal lucid lucky
lunar mellow merry mighty mild modest neat nimble noble patient placid polite prime proud quick quiet rapid rare
ready rosy round royal sage scenic serene sharp shiny silent silver simple sincere smooth snowy social solar solid
spry stable steady stellar sturdy sunny super swift tender tidy tranquil trusty upbeat valiant velvet vivid warm
willing wise witty zesty
"""
_THINGS = """
acorn alder anchor apple aspen aster aurora badger bamboo banjo basil beacon beaver birch bison breeze bridge brook
buffalo canoe canyon cedar cello cherry cliff clover comet compass coral cove crane creek cricket dawn deer delta
dolphin dune eagle elm ember falcon fern finch fjord forest fox garden gazelle geyser ginger glacier grove gull
harbor hare harp hawk hazel heron hill ibis iris island ivy jasmine kayak kestrel kite koala lagoon lake lantern
larch lark laurel lemon lemur lilac lily lotus lynx magnolia mango maple marble marten meadow melon mesa mint moose
moss nectar oak oasis ocean olive orbit orchid oriole osprey otter owl palm panda parrot peach peak pear pebble
pelican pine plum pony poplar prairie puffin quail quartz quince raven reef ridge river robin rose saffron salmon
sequoia shore sparrow spring spruce starling stone stork summit sunset swan tern thistle thrush tiger trout tulip
valley violet walnut willow wren yak zebra
"""


def locate(store: str, run_id: Optional[str], experiment_id: Union[int, str, None]) -> Tuple[str, Union[int, str]]:
    """Return the run's id, and the experiment that has it or gets it.

    Args:
        store: The store, as an absolute path.
        run_id: The run; None makes an id.
        experiment_id: None: the experiment that has a run of this id, else the one that was chosen for new runs.

    Raises:
        InvalidIdError: An id is not legal.
        AmbiguousRunError: Several experiments have a run of this id.
    """
    if experiment_id is not None:
        experiment_id = keys.check_experiment_id(experiment_id)
    if run_id is None:
        return _new_run_id(), default_experiment(store) if experiment_id is None else experiment_id
    run_id = keys.check_known_run_id(run_id)
    if experiment_id is None:
        there = reader.find_experiments(store, run_id)
        if len(there) > 1:
            raise AmbiguousRunError(
                "Run %r is in several experiments: %s. Say which with experiment_id=." % (run_id, there),
                run_id=run_id,
                experiment_ids=tuple(there),
            )
        experiment_id = there[0] if there else default_experiment(store)
    if not os.path.isdir(layout.run_folder(store, experiment_id, run_id)):
        keys.check_run_id(run_id)
    return run_id, experiment_id


def default_experiment(runs_dir: Union[str, os.PathLike[str]]) -> Union[int, str]:
    """Return the experiment that runs go to that name none: the one that was chosen, else the environment's, else 0.

    One that was chosen in another store is found here by its name, and made if need be.
    """
    chosen = active.chosen_experiment()
    if chosen is None and config.experiment_name() is None and config.experiment_id() is None:
        return config.DEFAULT_EXPERIMENT_ID
    store, now_ms = active.store_folder(runs_dir), int(time() * 1000)
    if chosen is None:
        named = experiments.named_by_environment(store, now_ms)
        return config.DEFAULT_EXPERIMENT_ID if named is None else named
    where, experiment = chosen
    if where == store:
        return experiment.experiment_id
    return experiments.create(store, experiment.name, now_ms).experiment_id


def get_parent(store: str, parent_run_id: str) -> str:
    """Return the id of a run that exists in this store, to be a parent.

    Raises:
        InvalidIdError: It is no name of a run.
        RunNotFoundError: There is no such run.
    """
    parent_run_id = keys.check_known_run_id(parent_run_id)
    if not reader.find_experiments(store, parent_run_id):
        message = "There is no run %r in %s, so none can be its child. Start it first, or leave parent_run_id out."
        raise RunNotFoundError(message % (parent_run_id, store), run_id=parent_run_id)
    return parent_run_id


def may_be_parent(store: str, parent_run_id: Any, run_id: str) -> bool:
    """Tell whether one run may become the parent of another: not where it descends from that one itself.

    Args:
        store: The store, as an absolute path.
        parent_run_id: The parent to be.
        run_id: The child to be.
    """
    waiting: List[Any] = [parent_run_id]
    seen = set()
    while waiting:
        each = waiting.pop()
        if each == run_id:
            return False
        if isinstance(each, str) and each not in seen:
            seen.add(each)
            waiting.extend(_parents(store, each))
    return True


def generated_name() -> str:
    """Return a name for people for a run that has none: two words and a number, such as ``brave-otter-417``.

    There are nine million; two runs may have the same one, as a name is no id.
    """
    qualities, things = _QUALITIES.split(), _THINGS.split()
    number = int.from_bytes(os.urandom(8), "big")
    number, digits = divmod(number, 1000)
    number, quality = divmod(number, len(qualities))
    return "%s-%s-%03d" % (qualities[quality], things[number % len(things)], digits)


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


def _parents(store: str, run_id: str) -> List[Any]:
    """Return the parents of the runs of this id; there may be one in several experiments."""
    found = []
    try:
        run_id = keys.check_known_run_id(run_id)
        for experiment_id in reader.find_experiments(store, run_id):
            folder = layout.run_folder(store, experiment_id, run_id)
            found.append(reader.read_metadata(folder, []).get("parent_run_id"))
    except (OSError, MiniMLflowError):
        pass  # what cannot be read leads nowhere
    return found


def _new_run_id() -> str:
    """Return a random UUID of version 4 (RFC 9562) as 32 hex digits, without the cost of importing uuid."""
    raw = bytearray(os.urandom(16))
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    return raw.hex()


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
