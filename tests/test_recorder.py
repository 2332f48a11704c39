"""Many values at once, and params from where people keep them."""

from collections import namedtuple

import pytest

from mini_mlflow import InvalidKeyError, InvalidValueError, RunEndedError, active, log_batch, start_run
from mini_mlflow.run import Run

# The rows that MLflow's client has.
Row = namedtuple("Row", ["key", "value", "timestamp", "step"])
Pair = namedtuple("Pair", ["key", "value"])


@pytest.fixture
def run(tmp_path):
    with Run(runs_dir=str(tmp_path / "mlruns")) as run:
        yield run


def rows(run, key):
    return [(row.step, row.timestamp, row.value) for row in run.history(key)]


def test_a_batch_of_dicts_is_recorded_whole(run):
    run.log_batch(metrics={"loss": 0.5, "acc": 1}, params={"lr": 0.1, "net": {"layers": [2]}}, tags={"stage": "s"})
    assert run.data == ({"lr": 0.1, "net.layers": [2]}, {"acc": 1, "loss": 0.5}, {"stage": "s"})


def test_a_batch_of_rows_keeps_their_steps_and_times_in_their_order(run):
    metrics = [Row("loss", 0.5, 1000, 3), Row("loss", 0.25, 2000, 4), Row("acc", 1, 1500, 3)]
    run.log_batch(metrics, [Pair("lr", 0.1)], [])
    assert rows(run, "loss") == [(3, 1000, 0.5), (4, 2000, 0.25)]
    assert rows(run, "acc") == [(3, 1500, 1)]
    assert run.data.params == {"lr": 0.1}


def test_rows_without_step_or_time_get_the_next_step_and_the_clock(run):
    run.log_batch([Row("loss", 0.5, None, None), Row("loss", 0.25, None, None)])
    assert [(step, value) for step, _, value in rows(run, "loss")] == [(0, 0.5), (1, 0.25)]
    assert all(timestamp > 10**12 for _, timestamp, _ in rows(run, "loss"))


@pytest.mark.parametrize(
    ("metrics", "params", "tags", "error"),
    [
        ({"a/b": 1}, {"lr": 1}, {"s": 1}, InvalidKeyError),
        ({"loss": "x"}, {"lr": 1}, {"s": 1}, InvalidValueError),
        ({"loss": 1}, {"l:r": 1}, {"s": 1}, InvalidKeyError),
        ({"loss": 1}, {"lr": 1}, {"s?": 1}, InvalidKeyError),
        ([Row("loss", 1, -5, 0)], {"lr": 1}, {"s": 1}, InvalidValueError),
        ([Row("loss", 1, 5, 0.5)], {"lr": 1}, {"s": 1}, InvalidValueError),
        ([Pair("loss", 1)], {"lr": 1}, {"s": 1}, InvalidValueError),
        ({"loss": 1}, [3], {"s": 1}, InvalidValueError),
        ({"loss": 1}, {"lr": 1}, "x", InvalidValueError),
    ],
)
def test_a_batch_with_one_fault_records_nothing(run, metrics, params, tags, error):
    with pytest.raises(error):
        run.log_batch(metrics, params, tags)
    assert run.data == ({}, {}, {})


def test_an_empty_batch_records_nothing_and_tells_an_ended_run(run):
    run.log_batch()
    assert run.data == ({}, {}, {})
    run.end()
    with pytest.raises(RunEndedError, match="Cannot log batch"):
        run.log_batch()


def test_the_function_records_a_batch_into_the_active_run(tmp_path):
    with start_run(runs_dir=str(tmp_path)) as run:
        log_batch({"loss": 1}, {"lr": 2}, {"s": "t"})
        assert run.data == ({"lr": 2}, {"loss": 1}, {"s": "t"})
    assert active.current() is None


def test_nested_params_are_flattened_and_a_single_param_stays_a_dict(run):
    run.log_params({"model": {"lr": 0.1, "depth": 3}, "seed": 1})
    run.log_param("optimizer", {"name": "adam"})
    assert run.data.params == {"model.depth": 3, "model.lr": 0.1, "optimizer": {"name": "adam"}, "seed": 1}


def test_e08_a_param_that_looks_like_a_secret_is_masked_and_numbers_never(run):
    run.log_params({"hub_token": "abc123", "max_tokens": 4096, "name": "ghp_" + "a" * 36})
    run.log_param("password", "hunter2")
    assert run.data.params == {"hub_token": "***", "max_tokens": 4096, "name": "***", "password": "***"}
