"""Damage of all kinds: it is found, a repair keeps every complete row and every value, and what remains is said."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest
from broken_store import Sound, content, make_old, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mini_mlflow.check.findings import ERROR
from mini_mlflow.check.stores import check_store, repair_store
from mini_mlflow.layout import fold
from mini_mlflow.records import Metric
from mini_mlflow.store import metric_file, reader

GOLDEN = Path(__file__).parents[1] / "golden"
MLFLOW = ["1.0", "1.30", "2.22", "3.18"]
LONG_AGO = 1_000_000_000

values = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(), st.sampled_from([float("nan"), float("inf"), 1e22, 5e-324, -0.0])
)
rows = st.builds(Metric, st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**63 - 1), values)
kept_store = settings(max_examples=60, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """One sound store for all the damage, put in order before each."""
    store = Sound(tmp_path_factory.mktemp("damage") / "mlruns")
    copy = store.folder + "-copy"
    shutil.copytree(store.folder, copy)
    make_old(copy)  # in a copy no lock tells that nobody writes it, only silence
    return store, copy


def in_order(kept):
    store, copy = kept
    shutil.rmtree(store.folder)
    shutil.copytree(copy, store.folder)
    return store


def texts(found):
    return [(row[0], row[1], repr(row[2])) for row in found]


def check_that_nothing_is_lost(store, path, rows_before):
    """Mend, and compare the rows with those that were read before; return what is left of one file."""
    repair = repair_store(store.folder)
    assert repair.unmended == []
    problems = []
    after = reader.read_history(store.run, "loss", problems)
    missing = set(texts(rows_before)) - set(texts(after))
    assert not missing
    shown = os.path.relpath(path, store.folder)
    left = [finding for finding in repair.report.findings if finding.path == shown]
    assert [finding for finding in left if finding.repair is not None] == []
    if problems:
        assert [finding.level for finding in repair.report.findings if finding.level == ERROR]
    if not left and os.path.exists(path):  # one without a byte is removed
        json.loads(content(path).decode())
    again = repair_store(store.folder)
    assert (again.mended, again.report) == ([], repair.report)
    return left


@pytest.mark.long
@kept_store
@given(st.data())
def test_a_metric_file_that_was_damaged_anywhere_keeps_every_row_that_was_read(kept, data):
    store = in_order(kept)
    whole = content(store.loss)
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 200)))
    kind = data.draw(st.sampled_from(["cut", "nul", "blank", "drop", "junk", "double"]))
    new = {
        "cut": whole[:start],
        "nul": whole[:start] + b"\0" * (end - start) + whole[end:],
        "blank": whole[:start] + b" " * (end - start) + whole[end:],
        "drop": whole[:start] + whole[end:],
        "junk": whole[:start] + data.draw(st.binary(max_size=40)) + whole[end:],
        "double": whole[:end] + whole[start:],
    }[kind]
    write(store.loss, new)
    before = reader.read_history(store.run, "loss", [])
    findings = store.findings()
    if new != whole and not metric_file_is_sound(store.loss):
        assert findings
    if os.path.exists(store.loss) and findings and all(finding.path.endswith("loss.json") for finding in findings):
        check_that_nothing_is_lost(store, store.loss, before)


def metric_file_is_sound(path):
    """Tell whether plain JSON reads the same rows as we do."""
    try:
        document = json.loads(content(path).decode())
        rows = metric_file.checked_rows(document["history"])
        return rows is not None and texts(rows) == texts(metric_file.read_history(path).rows)
    except (ValueError, KeyError, TypeError, UnicodeDecodeError):
        return False


@pytest.mark.long
@kept_store
@given(st.lists(rows, min_size=1, max_size=60), st.integers(0, 200), st.sampled_from([b"", b"\0", b" "]))
def test_any_history_that_is_cut_anywhere_near_its_end_keeps_its_complete_rows(kept, history, cut, filler):
    store = in_order(kept)
    whole = metric_file.encode("loss", history)
    cut = min(cut, len(whole) - 30)
    write(store.loss, whole[: len(whole) - cut] + filler * 100)
    before = reader.read_history(store.run, "loss", [])
    left = check_that_nothing_is_lost(store, store.loss, before)
    if len(metric_file.decode(content(store.loss), "").rows):
        assert left == []


@pytest.mark.long
@kept_store
@given(st.data())
def test_a_param_that_was_damaged_anywhere_is_found_unless_it_still_says_something(kept, data):
    store = in_order(kept)
    path = store.path("params", "lr.json")
    whole = content(path)
    place = data.draw(st.integers(0, len(whole)))
    write(path, whole[:place] + data.draw(st.binary(max_size=20)) + whole[place + data.draw(st.integers(0, 10)) :])
    problems = {problem.path for problem in store.read().problems}
    found = {os.path.join(store.folder, finding.path) for finding in store.findings() if finding.level == ERROR}
    assert problems <= found
    repair = repair_store(store.folder)
    left = {os.path.join(store.folder, finding.path) for finding in repair.report.findings}
    assert {problem.path for problem in store.read().problems} <= left


@pytest.mark.long
@kept_store
@given(st.data())
def test_whatever_a_reader_reports_the_check_reports_too(kept, data):
    store = in_order(kept)
    files = sorted(os.path.join(place, name) for place, _, names in os.walk(store.run) for name in names)
    path = data.draw(st.sampled_from(files))
    write(path, data.draw(st.one_of(st.just(b""), st.binary(max_size=60), st.just(b"{}"), st.just(b"\0" * 9))))
    found = {os.path.join(store.folder, finding.path) for finding in store.findings() if finding.level == ERROR}
    try:
        problems = {problem.path for problem in store.read().problems}
    except ValueError as error:  # a newer format
        problems = {error.path}
    assert problems <= found


def copy_golden(name, target):
    shutil.copytree(str(GOLDEN / name), str(target))
    for path in target.rglob("*"):
        os.utime(str(path), (LONG_AGO, LONG_AGO))
    return str(target)


@pytest.mark.parametrize("name", ["format-0", *["mlflow-%s/store/mlruns" % version for version in MLFLOW]])
def test_a_sound_store_of_every_golden_version_has_no_errors(tmp_path, name):
    store = copy_golden(name, tmp_path / "mlruns")
    report = check_store(store)
    assert report.runs > 4
    assert [finding for finding in report.findings if finding.level == ERROR] == []
    assert [finding for finding in report.findings if finding.repair is not None] == []


def test_of_the_golden_store_of_format_1_what_was_damaged_is_found_and_mended(tmp_path):
    store = copy_golden("format-1", tmp_path / "mlruns")
    report = check_store(store)
    assert [(finding.rule, finding.path) for finding in report.findings] == [
        ("M9", "0/killed/metrics/power.json"),
        ("M10", "0/killed/metrics/pretty.json"),
        ("M4", "0/killed/metrics/torn.json"),
    ]
    folder = os.path.join(store, "0", "killed")
    before = {key: texts(reader.read_history(folder, key, [])) for key in ("power", "pretty", "torn")}
    assert len(repair_store(store).mended) == 3
    assert check_store(store).findings == []
    assert {key: texts(reader.read_history(folder, key, [])) for key in before} == before


def test_a15_a_fifo_in_place_of_a_document_blocks_no_check(kept):
    store = in_order(kept)
    os.unlink(store.path("params", "lr.json"))
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has none")
    os.mkfifo(store.path("params", "lr.json"))
    start = time.monotonic()
    assert [(finding.rule, finding.level) for finding in store.findings()] == [("D3", ERROR)]
    assert time.monotonic() - start < 10


def power_cut(store, path, kind):
    """Leave of a file what a power cut may leave: nothing, NUL bytes in its place, or NUL bytes at its end."""
    data = content(path)
    write(
        path, {"empty": b"", "nul": b"\0" * len(data), "tail": data[: len(data) // 2] + b"\0" * (len(data) // 2)}[kind]
    )


@pytest.mark.parametrize("kind", ["empty", "nul", "tail"])
def test_h13_after_a_power_cut_a_repair_keeps_what_is_there_and_says_what_is_gone(kept, kind):
    store = in_order(kept)
    before = texts(store.rows())
    for path in (
        store.loss,
        store.path("metrics", "acc.json"),
        store.path("params", "lr.json"),
        store.path("owner.json"),
    ):
        power_cut(store, path, kind)
        os.utime(path, (LONG_AGO, LONG_AGO))
    read = texts(store.rows())
    assert check_store(store.folder).findings
    left = repair_store(store.folder).report.findings
    assert texts(store.rows()) == read
    assert set(read) <= set(before)
    told = {finding.path for finding in left}
    if kind == "tail":  # half of a param and of an owner.json: nobody can tell what the other half was
        assert told == {"0/first/params/lr.json", "0/first/owner.json"}
        assert len(json.loads(content(store.loss).decode())["history"]) > 100
    else:
        assert left == []
    assert store.read().metadata["status"] == "FINISHED"


def test_a18_names_that_a_disk_takes_for_one_are_found_and_told_apart(kept):
    store = in_order(kept)
    for key in ("Lr", "stra\u00dfe", "STRASSE", "caf\u00e9", "cafe\u0301", "\u212a", "k"):
        text = json.dumps({"key": key, "value": 1, "timestamp": 5}, ensure_ascii=False)
        write(store.path("params", key + ".json"), text + "\n")
    wanted = store.read().params
    findings = store.findings()
    assert [finding.rule for finding in findings] == ["K5"] * 4
    repair_store(store.folder)
    assert store.findings() == []
    assert store.read().params == wanted
    names = os.listdir(store.path("params"))
    assert len({fold(name) for name in names}) == len(names)
