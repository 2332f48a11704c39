"""Runs as an index is given them."""

import os

from mini_mlflow.index.entry import ACTIVE, DELETED, DERIVED, Entry, State
from mini_mlflow.index.table import IndexTable

STORE = os.path.abspath("mlruns")


def made_entry(number, experiment_id="0", stage=ACTIVE, **given):
    """Return a run with some of everything."""
    entry = Entry(
        experiment_id,
        f"run{number:05d}",
        stage,
        {"run_name": f"name {number}", "status": "FINISHED", "start_time": 1700000000000 + number, "end_time": None},
        {"lr": number / 1000, "model": ["resnet", "vit"][number % 2], "layers": number},
        {"loss": 1 / (number + 1), "steps": number, **({"rare": 0.5} if number % 100 == 7 else {})},
        {"team": "vision", **({"note": "x" * 3000} if number % 50 == 3 else {})},
        {"max loss": 1.5} if number % 3 == 0 else {},
        [],
    )
    return entry._replace(**given)


def made_state(number=0, **given):
    """Return how its files looked."""
    state = State(b"shallow%d" % number, b"deep%d" % number, False, False, 1700000000000 + number, False)
    return state._replace(**given)


def made_pairs(numbers, experiment_id="0", stage=ACTIVE):
    """Return runs, each with its state."""
    return [(made_entry(number, experiment_id, stage), made_state(number)) for number in numbers]


def held(database, experiment_ids=None, stages=(ACTIVE, DELETED)):
    """Return all that an index says, each run by its place; the columns must say the same as the documents."""
    with IndexTable(database, STORE, experiment_ids, stages) as table:
        entries = table.entries(range(table.count))
        for kind in ("params", "metrics", "tags", "summaries", "attributes"):
            keys = {key for entry in entries for key in getattr(entry, kind)}
            assert keys >= set(table.keys(kind))
            for key in keys:
                assert table.column(kind, key) == [getattr(entry, kind).get(key) for entry in entries]
        states = {(row[1], row[2], row[3]): row[4] for row in database.state_rows()}
    found = {}
    for entry in entries:
        attributes = {key: value for key, value in entry.attributes.items() if key not in DERIVED}
        key = (entry.experiment_id, entry.stage, entry.name)
        found[key] = (entry._replace(attributes=attributes), states[key])
    assert len(found) == len(entries)
    return found


def by_place(pairs):
    """Return runs as ``held`` does."""
    return {(entry.experiment_id, entry.stage, entry.name): (entry, state) for entry, state in pairs}
