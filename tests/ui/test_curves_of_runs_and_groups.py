"""What a mean over runs that log unlike each other looks like, what counts as a gap, where the ends of a curve lie."""

import json
import random
from array import array

import pytest

import mini_mlflow
from mini_mlflow.ui.api import axes, bands, downloads, histories, packing, requests, series, thinning
from mini_mlflow.ui.api.stores import Stores


def line(places):
    return array("d", places), array("d", [1 / (1 + place) for place in places])


@pytest.mark.parametrize("last", [100, 1000, 10000])
def test_a_mean_of_runs_that_log_more_and_less_often_has_all_of_them_everywhere(last):
    lines = [line(range(0, last, 5)), *(line(range(0, last, 10)) for _ in range(12))]
    band = bands.make_band(lines, 640, bands.RANGE)
    assert set(band.counts) == {13}
    assert all(one > other for one, other in zip(band.mean, band.mean[1:]))  # as each of them: no sawtooth


def test_a_run_whose_values_come_in_pairs_takes_part_in_every_column():
    pairs = [place + more for place in range(0, 1000, 20) for more in (0, 1)]
    band = bands.make_band([line(pairs), line(range(1000))], 640, bands.STD)
    assert set(band.counts) == {2}


def test_runs_that_share_their_places_keep_them_though_one_ended_early():
    band = bands.make_band([line(range(0, 500, 5)), line(range(0, 200, 5)), line(range(100, 500, 5))], 640, bands.RANGE)
    assert list(band.xs) == list(range(0, 500, 5))
    assert [band.counts[at] for at in (0, 20, 39, 40, 99)] == [2, 3, 3, 2, 2]


@pytest.fixture
def group(tmp_path):
    """Thirteen runs, of which four log the norm of their gradients."""
    for number in range(13):
        with mini_mlflow.start_run(runs_dir=tmp_path, run_id="r%02d" % number):
            for step in range(10):
                mini_mlflow.log_metric("loss", 1.0, step=step)
                if number < 4:
                    mini_mlflow.log_metric("grad_norm", 1.0, step=step)
    return tmp_path


def test_a_group_has_as_many_members_as_runs_though_few_of_them_log_a_metric(group):
    refs = ["0/0/r%02d" % number for number in range(13)]
    body = {"runs": [*refs, "0/0/gone"], "metrics": ["loss", "grad_norm", "nothing"], "groups": [list(range(14))]}
    body["band"] = "range"
    told = series.read_series(Stores([str(group)]), histories.Histories(), requests.Body(body), 0)
    header, data = packing.unpack(told)
    json.dumps(header, allow_nan=False)
    assert [one["members"] for one in header["series"]] == [14, 14, 14]
    assert [one["n"] for one in header["series"]] == [10, 10, 0]
    counts = [set(packing.read(data, one["count_at"], "H", 10)) for one in header["series"][:2]]
    assert counts == [{13}, {4}]


def test_rows_of_one_millisecond_are_no_gaps_beside_each_other():
    several = array("d", [millisecond for millisecond in range(50) for _ in range(20)])
    assert thinning.find_gaps(several) == []
    assert thinning.find_gaps(array("d", [7.0] * 100)) == []
    rolled = random.Random(1)
    uneven = array("d", sorted(rolled.randrange(200) for _ in range(2000)))
    assert thinning.find_gaps(uneven) == []


def test_a_pause_among_rows_of_one_millisecond_is_a_gap():
    places = [*range(20), *range(1000, 1020)]
    assert thinning.find_gaps(array("d", places)) == [[19, 1000]]
    assert thinning.find_gaps(array("d", [place for place in places for _ in range(3)])) == [[19, 1000]]


def test_on_the_axis_of_another_metric_the_newest_least_and_greatest_row_lie_where_that_one_was(tmp_path):
    with mini_mlflow.start_run(runs_dir=tmp_path, run_id="r"):
        for step, (tokens, loss) in enumerate([(30, 1.0), (10, 3.0), (20, float("nan")), (15, 2.0)]):
            mini_mlflow.log_metrics({"tokens": tokens, "loss": loss}, step=step)
        mini_mlflow.log_metric("loss", 0.5, step=9)
    body = requests.Body({"runs": ["0/0/r"], "metrics": ["loss"], "x": "metrics.tokens"})
    header, _ = packing.unpack(series.read_series(Stores([str(tmp_path)]), histories.Histories(), body, 0))
    one = header["series"][0]
    assert (one["end"]["x"], one["end"]["value"]) == (15, 2.0)
    assert (one["last"]["x"], one["last"]["value"]) == (None, 0.5)  # it has no number of tokens
    assert (one["min"]["x"], one["max"]["x"], one["first_nan"]) == (None, 10, 20)


def test_rows_are_placed_on_the_axis_of_another_metric_once_until_one_of_both_grows(tmp_path, monkeypatch):
    placed, place = [], axes._by_metric
    monkeypatch.setattr(axes, "_by_metric", lambda *given: placed.append(given) or place(*given))
    stores, kept = Stores([str(tmp_path)]), histories.Histories()
    body = requests.Body({"runs": ["0/0/r"], "metrics": ["loss"], "x": "metrics.tokens", "width": 64, "means": True})

    def read_end():
        header, _ = packing.unpack(series.read_series(stores, kept, body, 0))
        assert header["series"][0]["m"]
        return header["series"][0]["end"]["x"]

    with mini_mlflow.start_run(runs_dir=tmp_path, run_id="r"):
        for step in range(1000):
            mini_mlflow.log_metrics({"tokens": 7 * step, "loss": step % 10}, step=step)
        assert (read_end(), len(placed)) == (6993, 1)
        assert (read_end(), len(placed)) == (6993, 1)
        mini_mlflow.log_metrics({"tokens": 9000, "loss": 3}, step=1000)
        monkeypatch.setattr(histories, "_FRESH_S", 0)
        assert (read_end(), len(placed)) == (9000, 2)


def test_places_that_runs_share_are_sent_once(tmp_path):
    for run_id in ("a", "b"):
        with mini_mlflow.start_run(runs_dir=tmp_path, run_id=run_id):
            for step in range(1000):
                mini_mlflow.log_metric("loss", step % (7 if run_id == "a" else 11), step=step)
    body = requests.Body({"runs": ["0/0/a", "0/0/b"], "metrics": ["loss"], "width": 64, "means": True})
    header, data = packing.unpack(series.read_series(Stores([str(tmp_path)]), histories.Histories(), body, 0))
    one, other = header["series"]
    assert (one["mx_at"], one["mw_at"]) == (other["mx_at"], other["mw_at"])
    means = [list(packing.read(data, each["my_at"], "f", each["m"])) for each in (one, other)]
    assert means[0] != means[1]


def test_curves_of_deleted_runs_are_those_of_the_trash_the_one_deleted_last_and_no_others(tmp_path):
    for value in (1.0, 2.0, 3.0):
        with mini_mlflow.start_run(runs_dir=tmp_path, run_id="again"):
            mini_mlflow.log_metric("loss", value)
        if value < 3:
            mini_mlflow.delete_run("again", runs_dir=tmp_path)
    stores, kept = Stores([str(tmp_path)]), histories.Histories()

    def last(stage, ref="0/0/again"):
        fields = {"runs": [ref], "metrics": ["loss"], "stage": stage}
        header, _ = packing.unpack(series.read_series(stores, kept, requests.Body(fields), 0))
        (one,) = header["series"]
        told = series.read_values(stores, kept, requests.Body({**fields, "metric": "loss", "at": 0}))["values"][0]
        lines = b"".join(downloads.write_series(stores, kept, requests.Body(fields))).splitlines()
        assert (told is None) == bool(one["error"]) == (len(lines) == 1)
        return one["error"] or one["last"]["value"]

    assert (last("active"), last("deleted"), last("deleted", "0/0/none")) == (3.0, 2.0, "gone")
    mini_mlflow.delete_run("again", runs_dir=tmp_path)
    assert (last("active"), last("deleted")) == ("gone", 3.0)
