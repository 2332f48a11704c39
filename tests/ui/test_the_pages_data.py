"""What the page asks for, as plain data, without a socket: runs, groups, series, what is new, one run."""

import csv
import io
import json
import math
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
from page_server import make_store

import mini_mlflow
from mini_mlflow import layout
from mini_mlflow.errors import InvalidIdError, QueryError
from mini_mlflow.ui.api import (
    choices,
    completion,
    details,
    differences,
    downloads,
    edits,
    files,
    histories,
    live,
    overview,
    packing,
    patience,
    plain,
    requests,
    runs,
    series,
    tables,
)
from mini_mlflow.ui.api.stores import Stores

NOW = 2_000_000_000_000


class Asker:
    """Asks the functions behind the routes."""

    def __init__(self, *folders, is_read_only=False):
        self.stores = Stores([str(folder) for folder in folders], is_read_only=is_read_only)
        self.histories = histories.Histories()
        self.stamps = live.Stamps()

    def runs(self, **fields):
        answer = runs.read_runs(self.stores, self.histories, requests.Body(fields), NOW)
        json.dumps(answer, allow_nan=False)
        return answer

    def refs(self, **fields):
        return self.runs(order=["start_time ASC"], **fields)["rows"]["ref"]

    def series(self, **fields):
        header, data = packing.unpack(series.read_series(self.stores, self.histories, requests.Body(fields), NOW))
        return header, data

    def points(self, **fields):
        """Return x and y of the first series."""
        header, data = self.series(**fields)
        one = header["series"][0]
        xs = packing.read(data, one["x_at"], "d", one["n"])
        return list(xs), list(packing.read(data, one["y_at"], "d" if one["y"] == "f8" else "f", one["n"]))

    def live(self, **fields):
        found = live.read_live(self.stores, self.histories, self.stamps, requests.Body(fields), NOW)
        return packing.unpack(found) if isinstance(found, bytes) else found

    def complete(self, text, caret=None):
        chosen = tables.choose(self.stores, requests.Body({}))
        caret = len(text) if caret is None else caret
        return tables.ask(chosen, "active", lambda table: completion.complete(table, text, caret, NOW))


@pytest.fixture
def folder(tmp_path):
    return make_store(tmp_path / "mlruns")


@pytest.fixture
def asker(folder):
    return Asker(folder)


def log_run(folder, run_id, values, key="loss", **params):
    """Log one run with one metric."""
    with mini_mlflow.start_run(runs_dir=folder, run_id=run_id):
        mini_mlflow.log_params(params)
        for step, value in values:
            mini_mlflow.log_metric(key, value, step=step)


def test_the_first_look_is_sorted_by_the_likeliest_metric_with_what_varies_beside_it(asker):
    answer = asker.runs()
    assert (answer["total"], answer["matched"], answer["statuses"]) == (4, 4, {"FINISHED": 4})
    assert answer["order"] == ["max(val.acc) DESC"]
    assert [column["name"] for column in answer["columns"]] == [
        "max(val.acc)",
        "min(val.loss)",
        "params.lr",
        "params.seed",
    ]
    assert answer["rows"]["name"] == ["run-3", "run-2", "run-1", "run-0"]
    assert answer["rows"]["rank"] == [3, 2, 1, 0]
    assert answer["rows"]["step"] == [19] * 4
    assert answer["rows"]["values"][0] == [0.98, 0.97, 0.96, 0.95]
    assert answer["rows"]["tags"] == [{"team": "vision"}] * 4
    assert answer["first"] == answer["rows"]["ref"]


def test_how_far_a_run_has_come_is_told_by_the_first_metric_where_none_sorts(tmp_path):
    log_run(tmp_path / "store", "r", [(0, 0.5), (7, 0.25)], key="thing")
    answer = Asker(tmp_path / "store").runs()
    assert (answer["sorted_metric"], answer["rows"]["step"]) == (None, [7])


def test_what_is_sorted_twice_is_read_once():
    asked = []
    table = SimpleNamespace(count=3, column=lambda *_: None, keys=lambda _: ["acc"])
    table.counting_column = lambda *about: asked.append(about) or [0.5, 0.25, None]
    _, sort = runs.find_order(table, [0, 1, 2], ["max(acc) ASC"], NOW)
    assert (sort([0, 1, 2]), sort([2, 1]), sort([0, 1, 2], 1), sort([], 5)) == ([1, 0, 2], [1, 2], [1], [])
    assert asked == [("max", "acc", [0, 1, 2])]


@pytest.mark.parametrize(
    ("values", "varies"),
    [
        ([math.nan], False),
        ([math.nan, float("nan")], False),
        ([math.nan, 1.0], True),
        ([1.0, math.nan], True),
        ([1, 1.0], False),
        ([None, "a"], True),
        (["a", "b"], True),
        ([], False),
    ],
)
def test_a_param_varies_where_two_runs_have_another_value(values, varies):
    table = SimpleNamespace(keys=lambda _: ["x"], column=lambda *_: values)
    assert choices.list_varying(table) == (["x"] if varies else [])


def test_a_window_holds_only_its_rows_and_what_was_picked_beside_it(asker):
    all_refs = asker.refs()
    answer = asker.runs(order=["start_time ASC"], limit=1, offset=1, shown=0, picks=[all_refs[3], "0/0/gone"])
    assert answer["rows"]["ref"] == all_refs[1:2]
    assert answer["extra"]["ref"] == all_refs[3:]
    assert answer["gone"] == ["0/0/gone"]
    assert answer["matched"] == 4


def test_a_filter_and_an_order_are_those_of_searches(asker):
    answer = asker.runs(filter="lr < 0.05 and min(val.loss) > 2", order=["params.seed DESC"])
    assert answer["rows"]["name"] == ["run-3"]


@pytest.mark.parametrize(("field", "text"), [("filter", "lr <"), ("order", "lr up"), ("columns", "min(")])
def test_what_cannot_be_read_is_told_with_its_place(asker, field, text):
    with pytest.raises(QueryError) as caught:
        asker.runs(**{field: text if field == "filter" else [text]})
    told = completion.describe_error(caught.value)
    assert (told["where"], told["text"]) == (field, text)
    assert 0 <= told["position"] <= len(text)


def test_a_column_that_no_run_has_is_empty(asker):
    answer = asker.runs(columns=["metrics.none", "params.none", "tags.none", "min(none)"])
    assert answer["rows"]["values"] == [[None] * 4] * 4


def test_numbers_that_json_lacks_are_texts(folder, asker):
    log_run(folder, "odd", [(0, float("nan"))], big=2**70, nan=float("nan"))
    answer = asker.runs(filter="run_id = 'odd'", columns=["metrics.loss", "params.big", "params.nan"])
    assert answer["rows"]["values"] == [["NaN"], [str(2**70)], ["NaN"]]


def test_groups_have_mean_and_spread_over_the_seed(asker):
    answer = asker.runs(group={"by": "auto", "open": []}, columns=["min(val.loss)"], order=["min(val.loss) ASC"])
    groups = answer["groups"]
    assert (groups["by"], groups["over"], groups["n"]) == (["lr"], ["seed"], [2, 2])
    assert groups["label"] == ["lr 0.1", "lr 0.01"]
    stats = groups["stats"][0]
    assert stats["mean"] == pytest.approx([1.05, 2.05])
    assert stats["count"] == [2, 2]
    assert stats["is_within_noise"] == [None, True]
    assert answer["rows"]["ref"] == []
    opened = asker.runs(group={"by": ["lr"], "open": [groups["id"][1]]}, order=["min(val.loss) ASC"])
    assert sorted(opened["rows"]["name"]) == ["run-1", "run-3"]
    assert opened["rows"]["group"] == [groups["id"][1]] * 2


def test_a_short_history_is_sent_as_it_is(folder, asker):
    log_run(folder, "r", [(0, 1.0), (5, 0.5), (6, 0.25)])
    xs, ys = asker.points(runs=["0/0/r"], metrics=["loss"])
    assert (xs, ys) == ([0.0, 5.0, 6.0], [1.0, 0.5, 0.25])


def test_a_long_history_keeps_the_least_and_the_greatest_of_each_column(folder, asker):
    values = [
        (step, math.sin(step / 7) + (100 if step == 1234 else 0) - (50 if step == 2345 else 0)) for step in range(5000)
    ]
    log_run(folder, "r", values)
    xs, ys = asker.points(runs=["0/0/r"], metrics=["loss"], width=100)
    assert len(xs) <= 202
    assert (xs[0], xs[-1]) == (0.0, 4999.0)
    assert xs == sorted(xs)
    assert max(ys) == pytest.approx(dict(values)[1234], rel=1e-6)
    assert min(ys) == pytest.approx(dict(values)[2345], rel=1e-6)
    known = dict(values)
    assert all(math.isclose(known[int(x)], y, rel_tol=1e-6, abs_tol=1e-6) for x, y in zip(xs, ys))


def test_a_zoom_gets_its_rows_and_a_neighbour_on_either_side(folder, asker):
    log_run(folder, "r", [(step, float(step)) for step in range(1000)])
    xs, _ = asker.points(runs=["0/0/r"], metrics=["loss"], width=16, range=[100.5, 110.5])
    assert xs == [float(step) for step in range(100, 112)]


def test_what_is_not_finite_and_what_is_missing_stay_so(folder, asker):
    log_run(
        folder,
        "r",
        [(step, float("nan") if step in (3, 700) else float(step)) for step in range(1000) if not 400 < step < 500],
    )
    header, data = asker.series(runs=["0/0/r"], metrics=["loss"], width=16)
    one = header["series"][0]
    ys = packing.read(data, one["y_at"], "f", one["n"])
    assert sum(map(math.isnan, ys)) == 2
    assert one["first_nan"] == 3
    assert one["gaps"] == [[400.0, 500.0]]
    assert (one["min"]["value"], one["max"]["value"], one["last"]["step"]) == (0.0, 999.0, 999)


def test_values_that_32_bits_cannot_tell_apart_come_in_64(folder, asker):
    log_run(folder, "r", [(step, 1e9 + step / 100) for step in range(10)])
    _, ys = asker.points(runs=["0/0/r"], metrics=["loss"])
    assert ys == [1e9 + step / 100 for step in range(10)]


def test_another_metric_can_be_the_axis(folder, asker):
    with mini_mlflow.start_run(runs_dir=folder, run_id="r"):
        for step, (tokens, loss) in enumerate([(30, 1.0), (10, 2.0), (20, 3.0)]):
            mini_mlflow.log_metrics({"tokens": tokens, "loss": loss}, step=step)
        mini_mlflow.log_metric("loss", 9.0, step=7)
    assert asker.points(runs=["0/0/r"], metrics=["loss"], x="metrics.tokens") == ([10, 20, 30], [2, 3, 1])


def test_time_is_told_from_the_start_of_the_run(folder, asker):
    with mini_mlflow.start_run(runs_dir=folder, run_id="r") as run:
        start = run.info.start_time
        for step in range(3):
            mini_mlflow.log_metric("loss", step, step=step, timestamp=start + 1500 * step)
    assert asker.points(runs=["0/0/r"], metrics=["loss"], x="relative")[0] == [0.0, 1.5, 3.0]
    assert asker.points(runs=["0/0/r"], metrics=["loss"], x="time")[0] == [start, start + 1500, start + 3000]


def test_a_run_that_is_gone_leaves_the_others_their_series(asker):
    refs = [asker.refs()[0], "0/0/gone"]
    header, _ = asker.series(runs=refs, metrics=["val.loss", "none"])
    assert [(one["n"], one["error"]) for one in header["series"]] == [(20, None), (0, None), (0, "gone"), (0, "gone")]


def test_a_group_is_a_mean_with_a_band_and_the_count_behind_it(folder, asker):
    log_run(folder, "a", [(step, 1.0) for step in range(10)])
    log_run(folder, "b", [(step, 3.0) for step in range(5)])
    for band, low, high in (("range", 1.0, 3.0), ("std", 2 - math.sqrt(2), 2 + math.sqrt(2)), ("sem", 1.0, 3.0)):
        header, data = asker.series(runs=["0/0/a", "0/0/b"], metrics=["loss"], groups=[[0, 1]], band=band)
        one = header["series"][0]
        assert (one["n"], one["members"]) == (10, 2)
        numbers = {
            name: list(packing.read(data, one[name + "_at"], kind, 10))
            for name, kind in (("mean", "f"), ("low", "f"), ("high", "f"), ("count", "H"))
        }
        assert numbers["mean"] == [2.0] * 5 + [1.0] * 5
        assert numbers["count"] == [2] * 5 + [1] * 5
        assert (numbers["low"][0], numbers["high"][0]) == (pytest.approx(low), pytest.approx(high))


def test_the_exact_value_near_a_place_is_told(folder, asker):
    log_run(folder, "r", [(0, 0.1), (10, 2**60 + 1)])
    body = requests.Body({"runs": ["0/0/r", "0/0/gone"], "metric": "loss", "at": 7})
    found = series.read_values(asker.stores, asker.histories, body)["values"]
    assert found[0]["value"] == str(2**60 + 1)
    assert found[1] is None


def test_what_was_appended_comes_alone(folder):
    asker = Asker(folder)
    with mini_mlflow.start_run(runs_dir=folder, run_id="r"):
        mini_mlflow.log_metric("loss", 1.0, step=0)
        since = asker.series(runs=["0/0/r"], metrics=["loss"])[0]["series"][0]["since"]
        stamp = asker.runs()["stamp"]
        view = {"runs": ["0/0/r"], "metrics": ["loss"], "since": [since]}
        assert asker.live(stamp=stamp, series=view) is None
        mini_mlflow.log_metric("loss", 0.5, step=1)
        asker.histories = look_again(asker.histories)
        header, data = asker.live(stamp=stamp, series=view)
        one = header["series"][0]
        assert (one["is_anew"], one["n"], one["last"]["value"]) == (False, 1, 0.5)
        assert list(packing.read(data, one["x_at"], "d", 1)) == [1.0]
        view["since"] = [one["since"]]
        assert asker.live(stamp=header["stamp"], series=view) is None


def look_again(kept):
    """Let histories be looked at again at once, as half a second later."""
    for followed in kept._kept.values():
        followed._looked_at = -math.inf
    return kept


def test_a_row_that_does_not_come_last_makes_the_series_anew(folder, asker):
    with mini_mlflow.start_run(runs_dir=folder, run_id="r"):
        mini_mlflow.log_metric("loss", 1.0, step=5)
        since = asker.series(runs=["0/0/r"], metrics=["loss"])[0]["series"][0]["since"]
        mini_mlflow.log_metric("loss", 0.5, step=2)
        look_again(asker.histories)
        header, _ = asker.live(stamp="", series={"runs": ["0/0/r"], "metrics": ["loss"], "since": [since]})
        assert [(one["is_anew"], one["n"]) for one in header["series"]] == [(True, 0)]
    assert asker.points(runs=["0/0/r"], metrics=["loss"])[0] == [2.0, 5.0]


def test_a_change_of_the_table_changes_the_stamp_and_nothing_else_does(folder):
    first, second = Asker(folder), Asker(folder)
    stamp = first.runs()["stamp"]
    assert first.live(stamp=stamp) is None
    log_run(folder, "new", [(0, 1.0)])
    told = second.live(stamp=stamp)
    assert told["is_changed"]
    assert told["stamp"] != stamp


def test_histories_that_are_kept_stay_within_their_bound(folder):
    for number in range(5):
        log_run(folder, "r%d" % number, [(step, 1.0) for step in range(1000)])
    kept = histories.Histories(most_bytes=100_000)
    for number in range(5):
        assert kept.get(str(folder / "0" / ("r%d" % number)), "loss", is_live=False).count == 1000
    assert kept.size_bytes <= 100_000


def test_one_run_is_told_whole(folder, asker):
    ref = asker.refs()[1]
    told = details.read_run(asker.stores, asker.histories, ref, NOW)
    json.dumps(told, allow_nan=False)
    assert [param["key"] for param in told["params"]] == ["lr", "seed", "optimizer"]
    assert [param["is_varying"] for param in told["params"]] == [True, True, False]
    metric = next(each for each in told["metrics"] if each["key"] == "val.loss")
    assert (metric["count"], metric["min"], metric["min_step"], metric["goal"]) == (20, 1.05, 19, "min")
    assert len(metric["sparkline"]) == 20
    assert (told["name"], told["status"], told["tags"], told["rank"]) == ("run-1", "FINISHED", {"team": "vision"}, 1)


def test_runs_differ_where_they_differ(asker):
    told = differences.compare(asker.stores, asker.histories, requests.Body({"runs": asker.refs()[:2]}))
    assert [row["key"] for row in told["params"]] == ["lr"]
    assert told["same"]["params"] == 2
    loss = next(row for row in told["metrics"] if row["key"] == "val.loss")
    assert (loss["better"], loss["first_difference_step"], loss["difference"]) == (0, 0, 1.0)


@pytest.mark.parametrize(
    ("values", "ratio", "difference"),
    [((0.1, 0.2), 2.0, 0.1), ((3, 0), None, -3.0), ((0, 3), None, 3.0), ((-1, 2), None, 3.0), (("a", 1), None, None)],
)
def test_a_param_is_so_many_times_another_where_that_says_something(tmp_path, values, ratio, difference):
    for run_id, value in zip("ab", values):
        with mini_mlflow.start_run(runs_dir=tmp_path, run_id=run_id):
            mini_mlflow.log_param("x", value)
    asker = Asker(tmp_path)
    told = differences.compare(asker.stores, asker.histories, requests.Body({"runs": asker.refs()}))
    assert [(row["ratio"], row["difference"]) for row in told["params"]] == [(ratio, difference)]


def test_edits_are_seen_at_once(asker):
    ref = asker.refs()[0]
    fields = {"run": ref, "name": "better", "note": "# why", "set_tags": {"a": "1"}, "delete_tags": ["team"]}
    told = edits.edit(asker.stores, requests.Body(fields))
    assert told == {"run": ref, "name": "better", "note": "# why", "tags": {"a": "1"}}
    answer = asker.runs(order=["start_time ASC"])
    assert (answer["rows"]["name"][0], answer["rows"]["note"][0], answer["rows"]["tags"][0]) == (
        "better",
        True,
        {"a": "1"},
    )


def test_a_deleted_run_comes_back(asker):
    refs = asker.refs()
    told = edits.delete(asker.stores, requests.Body({"runs": [refs[0], "0/0/none"]}), asker.histories.forget)
    assert (told["done"], [each["code"] for each in told["failed"]]) == ([refs[0]], ["not_found"])
    assert asker.refs() == refs[1:]
    assert asker.refs(stage="deleted") == refs[:1]
    edits.restore(asker.stores, requests.Body({"runs": refs[:1]}), asker.histories.forget)
    assert asker.refs() == refs


def test_d26_a_read_only_server_takes_no_changes(folder):
    asker = Asker(folder, is_read_only=True)
    refs = asker.refs()
    for change in (
        lambda: edits.edit(asker.stores, requests.Body({"run": refs[0], "name": "x"})),
        lambda: edits.tag(asker.stores, requests.Body({"runs": refs, "set_tags": {"a": "b"}})),
        lambda: edits.delete(asker.stores, requests.Body({"runs": refs}), asker.histories.forget),
        lambda: edits.restore(asker.stores, requests.Body({"runs": refs}), asker.histories.forget),
    ):
        with pytest.raises(edits.ReadOnlyError):
            change()
    assert asker.refs() == refs


def test_d26_several_stores_with_equal_ids_are_told_apart(tmp_path):
    for name in "ab":
        log_run(tmp_path / name, "same", [(0, ord(name))], who=name)
    asker = Asker(tmp_path / "a", tmp_path / "b")
    answer = asker.runs(experiments=["0/0", "1/0"], columns=["params.who"], order=["params.who ASC"])
    assert answer["rows"]["ref"] == ["0/0/same", "1/0/same"]
    assert answer["rows"]["values"] == [["a", "b"]]
    assert asker.points(runs=["1/0/same"], metrics=["loss"])[1] == [ord("b")]
    for number in ("-1", "2", "99", "01", "1.0", " 1", "١"):
        with pytest.raises(InvalidIdError):
            asker.runs(experiments=[number + "/0"])


def test_the_page_begins_with_the_experiment_of_the_newest_run(tmp_path, folder):
    experiment = mini_mlflow.create_experiment("newer", runs_dir=folder)
    with mini_mlflow.start_run(runs_dir=folder, experiment_id=experiment):
        pass
    asker = Asker(folder, tmp_path / "nothing")
    told = overview.read_bootstrap(asker.stores, asker.histories, "i", "v", NOW)
    json.dumps(told, allow_nan=False)
    assert told["view"] == {"experiments": ["0/%s" % experiment]}
    assert told["runs"]["total"] == 1
    assert [(each["is_empty"], each["error"]) for each in told["stores"]] == [(False, None), (True, None)]


@pytest.mark.parametrize(
    ("text", "kind", "first"),
    [
        ("", "key", "val.acc"),
        ("val.l", "key", "val.loss"),
        ("min(val.l", "key", "val.loss"),
        ("lr ", "sign", "="),
        ("lr < ", "value", "0.01"),
        ("status = ", "value", "'FINISHED'"),
        ("status = 'KI", "value", "'KILLED'"),
        ("lr < 1 ", "join", "and"),
        ("lr < 1 o", "join", "or"),
        ("lr < 1 and sta", "key", "status"),
    ],
)
def test_a_filter_is_completed_where_the_caret_stands(asker, text, kind, first):
    told = asker.complete(text)
    assert told["kind"] == kind
    assert told["items"][0]["text"] == first


def test_a_filter_that_is_whole_says_how_many_runs_it_means(asker):
    told = asker.complete("lr < 0.05")
    assert (told["matched"], told["total"], told["error"]) == (2, 4, None)
    told = asker.complete("val.los < 3")
    assert told["error"]["near"][0] == "val.loss"


def test_values_that_are_offered_mean_the_runs_that_they_count(folder, asker):
    log_run(folder, "kinds", [], amp=True, layers=[{"a": 0}], **{"val.loss": 7})
    for key in ("amp", "layers", "params.`val.loss`"):
        (item,) = asker.complete(key + " = ")["items"]
        assert item["detail"] == "1 run"
        assert asker.complete("%s = %s" % (key, item["text"]))["matched"] == 1
    assert asker.complete("val.loss = ")["items"] == []  # the metric's, which nobody types
    keys = [item["text"] for item in asker.complete("val.los")["items"]]
    assert len(keys) == len(set(keys)) == 2


def test_places_are_counted_as_javascript_counts(asker):
    told = asker.complete("name = '\U0001f600' and lr ?")
    assert told["error"]["position"] == len("name = 'xx' and lr ")


def test_a_download_has_every_run_and_no_formula(folder, asker):
    log_run(folder, "f", [], cell="=cmd|' /C calc'!A0", number="-1", at="@x")
    data = b"".join(downloads.write_runs(asker.stores, requests.Body({"order": ["start_time ASC"]}), NOW)).decode()
    lines = data.split("\r\n")
    assert len(lines) == 7
    assert "'=cmd" in lines[5]
    assert ",-1," in lines[5] + ","
    assert "'@x" in lines[5]
    raw = b"".join(downloads.write_runs(asker.stores, requests.Body({"is_raw": True}), NOW)).decode()
    assert "'=cmd" not in raw


def test_a_chart_is_downloaded_in_full_precision(asker):
    body = requests.Body({"runs": asker.refs()[:1], "metrics": ["val.loss"]})
    lines = b"".join(downloads.write_series(asker.stores, asker.histories, body)).decode().split("\r\n")
    assert len(lines) == 22
    assert lines[3].endswith(repr(1 / 3))


@pytest.mark.parametrize(
    ("axis", "extra", "places"),
    [
        ("step", [], [[], []]),
        ("time", [], [[], []]),
        ("relative", ["relative_s"], [["0.0"], ["1.5"]]),
        ("metrics.tokens", ["metrics.tokens"], [["10.0"], ["30.0"]]),
    ],
)
def test_a_chart_is_downloaded_with_the_names_of_its_runs_and_each_column_once(folder, asker, axis, extra, places):
    with mini_mlflow.start_run(runs_dir=folder, run_id="r", run_name="=quiet, shrew") as run:
        start = run.info.start_time
        for step in range(2):
            metrics = {"loss": 0.5 + step, "tokens": 10 + 20 * step}
            mini_mlflow.log_metrics(metrics, step=step, timestamp=start + 1500 * step)
    body = requests.Body({"runs": ["0/0/r"], "metrics": ["loss"], "x": axis})
    data = b"".join(downloads.write_series(asker.stores, asker.histories, body)).decode()
    rows = list(csv.reader(io.StringIO(data, newline="")))
    assert rows[0] == ["run_id", "run_name", "metric", *extra, "step", "timestamp", "value"]
    assert rows[1:] == [
        ["r", "'=quiet, shrew", "loss", *places[step], str(step), str(start + 1500 * step), str(0.5 + step)]
        for step in range(2)
    ]


def test_ids_are_found_by_their_beginning(asker):
    chosen = tables.choose(asker.stores, requests.Body({}))
    ref = asker.refs()[0]
    run_id = ref.rsplit("/", 1)[1]
    found = tables.ask(chosen, "active", lambda table: tables.resolve_ids(table, [run_id[:8], run_id, "zzz", ""]))
    assert found == {run_id[:8]: ref, run_id: ref, "zzz": None, "": None}


def test_packed_runs_look_like_others(folder, asker):
    with mini_mlflow.start_run(runs_dir=folder, run_id="files"):
        mini_mlflow.log_metric("val.acc", 0.99, step=3)
        mini_mlflow.log_text("a,b\n1,2\n", "t.csv")
    before = asker.runs()
    mini_mlflow.pack(runs_dir=folder)
    assert not (folder / "0" / "files").exists()
    after = Asker(folder)
    answer = after.runs()
    assert answer["rows"] == before["rows"]
    assert after.points(runs=["0/0/files"], metrics=["val.acc"]) == ([3.0], [pytest.approx(0.99)])
    told = details.read_run(after.stores, after.histories, "0/0/files", NOW)
    assert (told["id"], told["metrics"][0]["last"]) == ("files", 0.99)
    place = after.stores.get_run("0/0/files")
    assert [each["name"] for each in files.list_files(place, "")["files"]] == ["t.csv"]
    assert files.read_preview(place, "t.csv")["rows"] == [["1", "2"]]
    told = differences.compare(after.stores, after.histories, requests.Body({"runs": answer["rows"]["ref"][:2]}))
    assert told["metrics"]


def test_c02_and_b09_odd_texts_stay_data(folder):
    with mini_mlflow.start_run(runs_dir=folder, run_id="odd", run_name="</script><!--<script>\u2028"):
        mini_mlflow.set_tag("odd", "\ud800")
    asker = Asker(folder)
    told = overview.read_bootstrap(asker.stores, asker.histories, "i", "v", NOW)
    data = plain.encode_for_html(told)
    assert b"<" not in data
    assert "\u2028".encode() not in data
    assert json.loads(data.decode())["runs"]["rows"]["name"][-1] == "</script><!--<script>\u2028"


@pytest.mark.parametrize(
    "key", ["__proto__", "constructor", "toString", "__class__", "a b", "a/b", 'a"b', "metrics.x", "é", "min"]
)
def test_b11_odd_keys_are_plain_names_that_sort_and_filter(tmp_path, key):
    folder = tmp_path / "mlruns"
    log_run(folder, "r", [(0, 1.0)])
    source = folder / "0" / "r" / "metrics" / "loss.json"
    text = source.read_text().replace('"loss"', json.dumps(key, ensure_ascii=False))
    source.unlink()
    (folder / "0" / "r" / "metrics" / layout.file_name(layout.plain_stem(key))).write_text(text, encoding="utf-8")
    asker = Asker(folder)
    name = asker.runs()["keys"]["metrics"][0]["name"]
    answer = asker.runs(order=[name + " DESC"], columns=[name], filter=name + " > 0")
    assert answer["rows"]["values"] == [[1.0]]
    assert asker.points(runs=["0/0/r"], metrics=[key]) == ([0.0], [1.0])


def test_e02_and_e12_looking_starts_no_program_and_asks_no_network(folder):
    code = """
import sys
bad = []
sys.addaudithook(lambda name, args: bad.append(name) if name in EVENTS else None)
from mini_mlflow.ui.api import details, histories, overview, requests, runs, stores
shown, kept = stores.Stores([sys.argv[1]]), histories.Histories()
ref = overview.read_bootstrap(shown, kept, "i", "v", 0)["runs"]["rows"]["ref"][0]
details.read_run(shown, kept, ref, 0)
assert not bad, bad
""".replace(
        "EVENTS",
        repr(("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.connect", "pickle.find_class")),
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)


def test_what_takes_long_is_shown_as_far_as_it_is_known(folder, monkeypatch):
    asker = Asker(folder)
    asker.runs()  # known in the index
    is_open = threading.Event()
    ask = tables.ask

    def slow(*arguments, **more):
        assert is_open.wait(60)
        return ask(*arguments, **more)

    monkeypatch.setattr(tables, "ask", slow)
    waiting = patience.Patience(wait_s=0.01)
    answer = runs.read_runs(asker.stores, asker.histories, requests.Body({}), NOW, waiting)
    assert answer["pending"] == {"done": 4, "total": 4, "what": "Reading runs"}
    assert answer["rows"]["name"] == ["run-3", "run-2", "run-1", "run-0"]
    is_open.set()
    while answer["pending"]:
        answer = runs.read_runs(asker.stores, asker.histories, requests.Body({}), NOW, waiting)
    assert answer["total"] == 4


def test_the_best_values_of_long_histories_come_as_far_as_there_is_time(folder, monkeypatch):
    for number in range(20):
        log_run(folder, "r%d" % number, [(0, 1.5 + number)], key="loss")
    asker = Asker(folder)
    monkeypatch.setattr(patience, "_BUDGET_S", 0.0)
    waiting, seen = patience.Patience(), []
    while True:
        body = requests.Body({"order": ["min(loss) ASC"], "columns": []})
        answer = runs.read_runs(asker.stores, asker.histories, body, NOW, waiting)
        if not answer["pending"]:
            break
        seen.append(answer["pending"]["done"])
        assert len(seen) < 100
        if len(seen) > 1:
            monkeypatch.setattr(patience, "_BUDGET_S", 60.0)
    assert seen[0] < 24
    assert answer["rows"]["id"][:3] == ["r0", "r1", "r2"]


def test_a_metric_that_cannot_be_read_leaves_the_rest_of_the_run(folder, asker):
    ref = asker.refs()[0]
    run_id = ref.rsplit("/", 1)[1]
    (folder / "0" / run_id / "metrics" / "val.loss.json").write_text('{"key": "val.loss", "history": "?"')
    told = details.read_run(asker.stores, asker.histories, ref, NOW)
    assert [each["path"] for each in told["problems"]] == ["metrics/val.loss.json"]
    assert "val.acc" in [metric["key"] for metric in told["metrics"]]
    header, _ = asker.series(runs=[ref], metrics=["val.loss", "val.acc"])
    assert [one["n"] for one in header["series"]] == [0, 20]
    assert details._summary(asker.histories.get(str(folder / "0" / run_id), "none", is_live=False))["min"] is None
