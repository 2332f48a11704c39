"""Does every error say what it is to plain `except` clauses, and survive the way to another process?"""

import copy
import pickle

import pytest

from mini_mlflow import MiniMLflowError, StorageWarning, errors

FACTS = {
    "MiniMLflowError": {},
    "NoActiveRunError": {},
    "ActiveRunError": {"run_id": "r1"},
    "RunEndedError": {"run_id": "r1", "status": "FAILED"},
    "InvalidKeyError": {"key": "a/b"},
    "InvalidValueError": {"key": "loss", "value": [1, 2]},
    "QueryError": {"text": "loss >", "position": 6, "expected": "a number"},
    "InvalidStatusError": {"status": "DONE"},
    "InvalidIdError": {"id": "../x"},
    "RunNotFoundError": {"run_id": "r1", "experiment_id": 3},
    "MetricNotFoundError": {"run_id": "r1", "key": "loss"},
    "AmbiguousRunError": {"run_id": "r1", "experiment_ids": (0, "a")},
    "UnsupportedFormatError": {"path": "a/meta.yaml", "found": 99},
    "BrokenFileError": {"path": "a/x.json", "reason": "it is empty"},
    "InvalidArtifactPathError": {"path": "../x", "reason": "it leads upward"},
    "ArtifactNotFoundError": {"path": "model.pt"},
    "MissingPackageError": {"package": "pillow"},
    "ExperimentNotFoundError": {"experiment_id": 7},
    "ExperimentExistsError": {"name": "mnist"},
    "ExperimentDeletedError": {"experiment_id": 7},
    "RunExistsError": {"run_id": "r1", "experiment_id": 3},
    "CorruptIndexError": {"path": "a/b.sqlite"},
    "StorageWarning": {},
}
BUILT_INS = {
    "NoActiveRunError": [RuntimeError],
    "ActiveRunError": [RuntimeError],
    "RunEndedError": [ValueError],
    "InvalidKeyError": [ValueError],
    "InvalidValueError": [ValueError, TypeError],
    "InvalidStatusError": [ValueError],
    "QueryError": [ValueError, TypeError],
    "InvalidIdError": [ValueError],
    "RunNotFoundError": [FileNotFoundError],
    "MetricNotFoundError": [LookupError],
    "AmbiguousRunError": [ValueError],
    "UnsupportedFormatError": [ValueError],
    "BrokenFileError": [ValueError],
    "InvalidArtifactPathError": [ValueError],
    "ArtifactNotFoundError": [FileNotFoundError],
    "MissingPackageError": [ImportError],
    "ExperimentNotFoundError": [FileNotFoundError],
    "ExperimentExistsError": [ValueError],
    "ExperimentDeletedError": [ValueError],
    "RunExistsError": [FileExistsError],
    "CorruptIndexError": [ValueError],
}


def test_every_error_is_looked_at_here():
    there = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
    assert there == set(FACTS)
    assert set(BUILT_INS) == there - {"MiniMLflowError", "StorageWarning"}


@pytest.mark.parametrize("name", sorted(FACTS))
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_error_keeps_its_message_and_facts_when_pickled(name, protocol):
    error = getattr(errors, name)("What failed: 100%.", **FACTS[name])
    for twin in (pickle.loads(pickle.dumps(error, protocol)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is type(error)
        assert str(twin) == "What failed: 100%."
        assert {fact: getattr(twin, fact) for fact in FACTS[name]} == FACTS[name]


@pytest.mark.parametrize("name", sorted(FACTS))
def test_the_facts_may_be_left_out(name):
    error = getattr(errors, name)("What failed.")
    assert str(error) == "What failed."
    assert all(getattr(error, fact) in (None, ()) for fact in FACTS[name])


@pytest.mark.parametrize("name", sorted(BUILT_INS))
def test_an_error_is_caught_as_ours_and_as_the_nearest_built_in(name):
    for kind in [MiniMLflowError, *BUILT_INS[name]]:
        with pytest.raises(kind, match="What failed"):
            raise getattr(errors, name)("What failed.", **FACTS[name])


def test_a_storage_warning_is_a_warning_and_no_error():
    assert issubclass(StorageWarning, UserWarning)
    assert not issubclass(StorageWarning, MiniMLflowError)
