"""Which id does a run get, and which name; which experiment has it, and whose child may it be?"""

from __future__ import annotations

import os

from . import active, clock, config, keys, layout, surroundings
from .errors import AmbiguousRunError, InvalidIdError, MiniMLflowError, RunNotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Optional, Tuple, Union

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
_NAMES = _QUALITIES.split(), _THINGS.split()


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
        experiment_id = known_experiment(store, experiment_id)
    if run_id is None:
        return _new_run_id(), default_experiment(store) if experiment_id is None else experiment_id
    run_id = keys.check_known_run_id(run_id)
    if experiment_id is None:
        from .store import reader  # few runs are named by an id, and importing the package must not load it

        experiment_id = only_experiment(run_id, reader.find_experiments(store, run_id))
        if experiment_id is None:
            experiment_id = default_experiment(store)
    if not os.path.isdir(layout.run_folder(store, experiment_id, run_id)):  # those in packs have legal ids
        keys.check_run_id(run_id)
    return run_id, experiment_id


def only_experiment(run_id: str, ids: List[Union[int, str]]) -> Optional[Union[int, str]]:
    """Return the one experiment of those that have a run, None where none has it.

    Raises:
        AmbiguousRunError: Several have it.
    """
    if len(ids) > 1:
        message = "Run %r is in several experiments: %s. Say which with experiment_id=."
        raise AmbiguousRunError(message % (run_id, ids), run_id=run_id, experiment_ids=tuple(ids))
    return ids[0] if ids else None


def known_experiment(runs_dir: Union[str, os.PathLike[str]], experiment_id: Any) -> Union[int, str]:
    """Return an experiment's id as it is kept; for a text that is no folder's name but an experiment's, that one's id.

    Args:
        runs_dir: The store's folder, which is looked into for a text alone.
        experiment_id: What was given.

    Raises:
        InvalidIdError: It is not legal, and no experiment has such a name.
    """
    if not isinstance(experiment_id, str):
        return keys.check_experiment_id(experiment_id)
    from .store import experiments

    store = active.store_folder(runs_dir)
    try:
        checked = keys.check_experiment_id(experiment_id)
        if os.path.isdir(layout.experiment_folder(store, checked)):
            return checked
    except InvalidIdError:
        pass  # a name may be what no id is
    named = experiments.find(store, experiment_id)
    return keys.check_experiment_id(experiment_id) if named is None else named.experiment_id


def default_experiment(runs_dir: Union[str, os.PathLike[str]]) -> Union[int, str]:
    """Return the experiment that runs go to that name none: the one that was chosen, else the environment's, else 0.

    In a tracked command that of its run comes before 0.

    One that was chosen in another store is found here by its name, and made if need be.
    """
    chosen = active.chosen_experiment()
    if chosen is None and config.experiment_name() is None and config.experiment_id() is None:
        return _tracked_experiment(runs_dir)
    from .store import experiments

    store, now_ms = active.store_folder(runs_dir), clock.now_ms()
    if chosen is None:
        named = experiments.named_by_environment(store, now_ms)
        return config.DEFAULT_EXPERIMENT_ID if named is None else named
    where, experiment = chosen
    if where == store:
        return experiment.experiment_id
    return experiments.create(store, experiment.name, now_ms).experiment_id


def find_default_experiment(store: str) -> Optional[Union[int, str]]:
    """Return the experiment that new runs would go to, None where it is not made yet: who only looks makes nothing."""
    chosen, name = active.chosen_experiment(), config.experiment_name()
    if chosen is not None:
        where, experiment = chosen
        name = None if where == store else experiment.name
    if name is None:
        return default_experiment(store)
    from .store import experiments

    named = experiments.find(store, name)
    return None if named is None else named.experiment_id


def chosen_name() -> Optional[str]:
    """Return the name of the experiment that was chosen for new runs, by a call or the environment; None for none."""
    chosen = active.chosen_experiment()
    if chosen is not None:
        return chosen[1].name
    return config.experiment_name()


def get_parent(store: str, parent_run_id: str) -> Tuple[str, Union[int, str]]:
    """Return the id of a run that exists in this store, to be a parent, and its experiment.

    Raises:
        InvalidIdError: It is no name of a run.
        RunNotFoundError: There is no such run.
    """
    from .store import reader  # as above

    parent_run_id = keys.check_known_run_id(parent_run_id)
    there = reader.find_experiments(store, parent_run_id)
    if not there:
        message = "There is no run %r in %s, so none can be its child. Start it first, or leave parent_run_id out."
        raise RunNotFoundError(message % (parent_run_id, store), run_id=parent_run_id)
    return parent_run_id, there[0]


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
    qualities, things = _NAMES
    number = int.from_bytes(os.urandom(8), "big")
    number, digits = divmod(number, 1000)
    number, quality = divmod(number, len(qualities))
    return "%s-%s-%03d" % (qualities[quality], things[number % len(things)], digits)


def _tracked_experiment(runs_dir: Union[str, os.PathLike[str]]) -> Union[int, str]:
    if surroundings.tracked_run_id() is None:
        return config.DEFAULT_EXPERIMENT_ID
    from . import joining  # few processes are started by one who tracks them

    place = joining.find(active.store_folder(runs_dir))
    return config.DEFAULT_EXPERIMENT_ID if place is None else place.experiment_id


def _parents(store: str, run_id: str) -> List[Any]:
    """Return the parents of the runs of this id; there may be one in several experiments."""
    from .store import reader  # as above

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
