"""What one more row does to a metric's file, and what of it survives a kill in the middle."""

import os
import sys

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from logged import Clock, content, log, metric_path, open_writer, parsed, spy_on_writes, texts

from mini_mlflow.store import metric_file

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the spy replaces pwrite, which Windows lacks")

PAGE = 4096
WIDE_KEY = "\U0001f40d" * 250
HUGE = 10**300
NUMBERS = [0.5, 1, -(2**1023), HUGE, float("nan"), float("inf"), float("-inf"), 5e-324, -1.7976931348623157e308, 7]


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


@pytest.fixture
def writer(tmp_path, clock):
    writer = open_writer(tmp_path)
    yield writer
    writer.release()


def mixed(count):
    """Return (value, step, timestamp) to log: long beside short, with timestamps of the past."""
    return [
        (NUMBERS[number * 7 % len(NUMBERS)], None if number % 3 else number * 2, 1000 if number % 5 == 4 else None)
        for number in range(count)
    ]


def only_file(writer):
    """Return the one metric file of the run."""
    folder = os.path.join(writer.folder, "metrics")
    (name,) = os.listdir(folder)
    return os.path.join(folder, name)


def test_rows_are_appended_in_the_exact_form(writer, clock):
    """Rules M1 and M2."""
    for value in (0.693, 0.512, 3):
        log(writer, "loss", value)
        clock.now_ms += 435
    assert content(metric_path(writer, "loss")) == (
        b'{"key": "loss", "history": [\n[0, 1795425502982, 0.693],\n[1, 1795425503417, 0.512],\n[2, 1795425503852, 3]\n'
        b'], "step": 2, "timestamp": 1795425503852, "value": 3}\n'
    )


@pytest.mark.parametrize("key", ["a", "\xe9" * 120, WIDE_KEY])
def test_after_every_append_the_file_is_valid_json_that_holds_every_row(writer, key):
    """Rules M1, M5, M6 and M7, over page boundaries, with padding, for the longest key."""
    rows = []
    for value, step, timestamp in mixed(400):
        log(writer, key, value, step, timestamp)
        path = only_file(writer)
        document = parsed(path)
        rows.append(document["history"][-1])
        assert document["key"] == key
        assert texts(document["history"]) == texts(rows)
        assert repr(rows[-1].value) == repr(value)
        newest = metric_file.newest(rows)
        assert (document["step"], document["timestamp"]) == newest[:2]
        found_key, found = metric_file.read_latest(path)
        assert (found_key, texts([found])) == (key, texts([newest]))


def test_every_write_is_one_page_but_the_one_that_fills_a_page(writer, monkeypatch):
    """Rules M2, M3 and M4."""
    writes, sizes = [], {}

    def before(descriptor, data, offset):
        writes.append((offset, data))
        sizes[offset, data] = os.fstat(descriptor).st_size

    spy_on_writes(monkeypatch, before)
    for value, step, timestamp in mixed(600):
        log(writer, "a", value, step, timestamp)
    assert len(writes) >= 599
    crossing = [(at, data) for at, data in writes if at // PAGE != (at + len(data) - 1) // PAGE]
    rows = [data for _, data in writes if data.strip()]
    assert len(rows) == 599
    for at, data in crossing:
        if data.strip():  # spaces to the boundary, and the row begins there
            boundary = (at // PAGE + 1) * PAGE
            assert data[: boundary - at].strip() == b""
            assert data[boundary - at :].startswith(b",\n[")
            assert boundary - at + PAGE >= len(data)
            assert sizes[at, data] >= at + len(data)  # its room was made before
    assert 1 <= len([1 for _, data in crossing if data.strip()]) <= 2 * len(content(metric_path(writer, "a"))) // PAGE


def test_rows_that_are_there_are_never_touched(writer, monkeypatch):
    """Rule M2."""
    path = metric_path(writer, "a")
    log(writer, "a", 0.5)
    for value, step, timestamp in mixed(200):
        before = content(path)
        end = before.rindex(b"\n], ")
        log(writer, "a", value, step, timestamp)
        assert content(path)[:end] == before[:end]


def test_a_shorter_row_is_filled_up_with_spaces(writer):
    """Rule M6."""
    log(writer, "a", HUGE)
    log(writer, "a", 1)
    data = content(metric_path(writer, "a"))
    assert data.endswith(b'"value": 1}' + b" " * (len(data) - len(data.rstrip(b" \n")) - 1) + b"\n")
    assert [row.value for row in parsed(data)["history"]] == [HUGE, 1]
    log(writer, "a", 2)
    assert [row.value for row in parsed(metric_path(writer, "a"))["history"]] == [HUGE, 1, 2]


def test_the_greatest_step_is_followed_by_itself(writer):
    """Rule M7: there is no greater one, and no value is lost for that."""
    for step in (2**63 - 2, None, None, None):
        log(writer, "a", 0.5, step)
    steps = [row.step for row in metric_file.read_history(metric_path(writer, "a")).rows]
    assert steps == [2**63 - 2, 2**63 - 1, 2**63 - 1, 2**63 - 1]


def states_of_a_run(writer, monkeypatch, count):
    """Log, and return (rows before, row, file before, offset, data) of every write."""
    states, acknowledged = [], []
    path = metric_path(writer, "a")

    def before(descriptor, data, offset):
        states.append((list(acknowledged), content(path), offset, bytes(data)))

    with monkeypatch.context() as patch:
        spy_on_writes(patch, before)
        for value, step, timestamp in mixed(count):
            log(writer, "a", value, step, timestamp)
            acknowledged.append(metric_file.read_history(path).rows[-1])
    return [(rows, acknowledged[len(rows)], *rest) for rows, *rest in states]


def put(old, offset, data):
    return (old + b"\0" * max(0, offset - len(old)))[:offset] + data + old[offset + len(data) :]


def check_prefix(path, rows, row, data):
    """The bytes read as all acknowledged rows, and perhaps the one under way; never a wrong number."""
    with open(path, "wb") as file:
        file.write(data)
    there = metric_file.read_history(path)
    assert texts(there.rows) in (texts(rows), texts([*rows, row]))
    assert texts([there.latest]) == texts([metric_file.newest(there.rows)])
    key, latest = metric_file.read_latest(path)
    assert (key, texts([latest])) == ("a", texts([there.latest]))
    return there


@pytest.mark.long
def test_every_cut_of_every_write_reads_as_a_prefix_and_is_taken_up_again(writer, tmp_path, monkeypatch):
    """Rules M4, M8 and M13: stricter than a kill, which never cuts a write within a page."""
    states = states_of_a_run(writer, monkeypatch, 60)
    assert any(offset // PAGE != (offset + len(data) - 1) // PAGE for *_, offset, data in states)
    heir = open_writer(tmp_path / "heir")
    log(heir, "other", 1)
    path = metric_path(heir, "a")
    for rows, row, old, offset, data in states:
        cuts = list(range(len(data) + 1))
        if len(data) > 700:
            cuts = cuts[:-80:97] + cuts[-80:]
        for cut in cuts:
            there = check_prefix(path, rows, row, put(old, offset, data[:cut]))
            if cut % 13 == 0:
                log(heir, "a", 0.25, 12345, 2 * 10**12)
                expected = [*texts(there.rows), (12345, 2 * 10**12, "0.25")]
                assert texts(parsed(path)["history"]) == expected
                assert texts([metric_file.read_latest(path)[1]]) == expected[-1:]
                heir.appenders.pop("a").close()
    heir.release()


@pytest.mark.long
def test_a_read_that_mixes_two_states_never_yields_what_was_not_logged(writer, tmp_path, monkeypatch):
    """Rule M8: the front of the new state and the back of the old one, and the other way round."""
    path = str(tmp_path / "glimpse.json")
    for rows, row, old, offset, data in states_of_a_run(writer, monkeypatch, 22):
        new = put(old, offset, data)
        cuts = range(offset - 1, offset + len(data) + 1)
        for cut in cuts if len(data) < 700 else cuts[::61]:
            check_prefix(path, rows, row, new[:cut] + old[cut:])
            check_prefix(path, rows, row, old[:cut] + new[cut:])


@pytest.mark.parametrize("tail", [b"\0", b"\0" * 5000, b" " * 5000, b"x", b",\n[7, 8", b'\n], "step": 3'])
def test_h13_the_next_owner_mends_the_end(tail, tmp_path):
    """Rule M13."""
    writer = open_writer(tmp_path)
    for step in range(150):
        log(writer, "a", step / 3, step)
    path = metric_path(writer, "a")
    writer.release()
    data = content(path)
    rows = parsed(path)["history"]
    for kept in (len(data), data.rindex(b"\n], ")):
        with open(path, "wb") as file:
            file.write(data[:kept] + tail)
        heir = open_writer(tmp_path)
        log(heir, "a", 9.5)
        heir.release()
        history = parsed(path)["history"]
        assert history[:-1] == rows
        assert (history[-1].step, history[-1].value) == (150, 9.5)


def test_an_editors_pretty_print_is_written_anew_and_goes_on(tmp_path):
    """Rules M10 and M13."""
    writer = open_writer(tmp_path)
    for step in range(150):
        log(writer, "a", step / 3)
    path = metric_path(writer, "a")
    writer.release()
    rows = parsed(path)["history"]
    document = metric_file.documents.decode_json(content(path), path)
    with open(path, "w") as file:
        metric_file.documents.json.dump(document, file, indent=2)
    heir = open_writer(tmp_path)
    log(heir, "a", 9.5)
    heir.release()
    assert parsed(path)["history"][:-1] == rows
    assert metric_file.read_history(path).is_exact


class Model(RuleBasedStateMachine):
    """A list of rows says what the file must hold, whatever happens to the appender."""

    store = None
    count = 0

    @initialize()
    def start(self):
        Model.count += 1
        self.folder = self.store / str(Model.count)
        self.writer = open_writer(self.folder)
        self.rows = []
        self.free = 0

    @rule(
        value=st.one_of(st.floats(), st.integers(-HUGE, HUGE), st.sampled_from([HUGE, 1])),
        step=st.one_of(st.none(), st.integers(-5, 100)),
        timestamp=st.one_of(st.none(), st.integers(0, 2**63 - 1), st.integers(0, 10)),
        times=st.sampled_from([1, 1, 1, 40]),
    )
    def append(self, value, step, timestamp, times):
        for _ in range(times):
            log(self.writer, "a", value, step, timestamp)
            at = self.free if step is None else step
            self.free = max(self.free, at + 1) if self.rows else at + 1
            self.rows.append((at, timestamp, repr(value)))
        self.check()

    @precondition(lambda self: self.rows)
    @rule()
    def park(self):
        there = self.writer.appenders.get("a")
        assert there is None or there.park() == (there.position >= 0)
        self.check()

    @rule()
    def end_and_go_on(self):
        self.writer.release()
        self.writer = open_writer(self.folder)
        self.check()

    @precondition(lambda self: self.rows)
    @rule()
    def be_broken_off(self):
        for there in self.writer.appenders.values():
            there.position = there.limit = -2
        self.check()

    def check(self):
        if not self.rows:
            return
        path = metric_path(self.writer, "a")
        history = metric_file.read_history(path)
        found = [(row.step, None if row[1] and wanted[1] is None else row.timestamp, repr(row.value))
                 for row, wanted in zip(history.rows, self.rows)]  # fmt: skip
        assert found == self.rows
        assert len(history.rows) == len(self.rows)
        assert history.is_exact
        assert texts(parsed(path)["history"]) == texts(history.rows)
        assert texts([metric_file.read_latest(path)[1]]) == texts([metric_file.newest(history.rows)])

    def teardown(self):
        self.writer.release()


@pytest.mark.long
def test_whatever_happens_the_file_holds_what_was_logged(tmp_path):
    """Rules M1 to M7 and M13, against a list as the model."""
    Model.store = tmp_path
    checks = list(HealthCheck) if sys.version_info < (3, 8) else [HealthCheck.too_slow, HealthCheck.data_too_large]
    machine = Model.TestCase
    machine.settings = settings(max_examples=40, stateful_step_count=25, suppress_health_check=checks)
    machine().runTest()


def test_h12_a_backup_made_by_hard_links_keeps_its_bytes(tmp_path, clock):
    """Rule M11, when the run goes on, and when the backup is made under a run that lives."""
    writer = open_writer(tmp_path)
    log(writer, "a", 1)
    path = metric_path(writer, "a")
    writer.release()
    os.link(path, str(tmp_path / "backup"))
    before = content(path)
    heir = open_writer(tmp_path)
    log(heir, "a", 2)
    assert content(str(tmp_path / "backup")) == before
    assert [row.value for row in parsed(path)["history"]] == [1, 2]
    os.link(path, str(tmp_path / "second"))
    before = content(path)
    clock.now_ms += 1001
    log(heir, "a", 3)
    log(heir, "a", 4)
    heir.release()
    assert content(str(tmp_path / "second")) == before
    assert [row.value for row in parsed(path)["history"]] == [1, 2, 3, 4]
