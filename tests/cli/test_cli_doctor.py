"""``doctor``: what a disk can do is told on terminals of every width, in a pipe, and as JSON."""

import errno
import json
import os
from pathlib import Path

import pytest
from measured import widest

from mini_mlflow.cli import doctor, texts
from mini_mlflow.doctor import examining, probes, room
from mini_mlflow.doctor.findings import BAD, SKIPPED, Examination, Probe
from mini_mlflow.store.mounts import Mount

fcntl = pytest.importorskip("fcntl")
DOCS = Path(__file__).parents[2] / "docs" / "cli.md"


class _Answers:
    """A second process that answers what it was told to."""

    def __init__(self, answer):
        self._answer = answer

    def ask(self, *_):
        pass

    def answer(self):
        return self._answer


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """An examination of a server's disk that comes out the same everywhere; the judgement is the real one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlruns").mkdir()
    place = tmp_path / "place"
    place.mkdir()

    def refuse(*_, **__):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    def examine(store, *, on_progress):
        on_progress(1, 1)
        mount = Mount("nfs4", "nas01:/export/home", "/home", {"hard": ""})
        with monkeypatch.context() as patch:
            patch.setattr(room.machine, "is_local_device", lambda _: False)
            patch.setattr(room, "free_bytes", lambda _: 12_400_000_000_000)
            patch.setattr(room, "_inodes", lambda _: (1000, 710))
            patch.setattr(fcntl, "flock", refuse)
            found = [
                room.probe_mount(store, mount),
                room.probe_space(store),
                probes.probe_rename(str(place), _Answers({"reads": 9, "missing": 0, "torn": 0, "last": 200})),
                probes.probe_appends(str(place), _Answers({"seen": 100, "slowest_s": 3.1})),
                probes.probe_locks(str(place), None),
                Probe("hard links", SKIPPED, "no second process to look", "", {}),
            ]
        for name in os.listdir(str(place)):
            os.unlink(str(place / name))
        verdict = examining.judge(found, mount)
        return Examination(store, store, mount.kind, mount.source, 12_400_000_000_000, found, verdict)

    monkeypatch.setattr(doctor.examining, "examine", examine)


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_what_is_found_looks_so(made_up, run_cli, check_screen, columns):
    found = run_cli("doctor", "--color", "never", columns=columns)
    assert (found.code, found.err) == (0, "")
    assert widest(found.lines) <= columns
    check_screen("doctor-%d" % columns, found.out)


def test_in_ascii_it_looks_so(made_up, run_cli, check_screen):
    found = run_cli("doctor", "--ascii", "--color", "never", columns=80)
    assert found.out.isascii()
    check_screen("doctor-80-ascii", found.out)


def test_what_is_found_is_one_json_document(made_up, run_cli):
    document = json.loads(run_cli("doctor", "--json").out)
    assert (document["schema"], document["store"], document["kind"]) == ("mini-mlflow/doctor/1", "mlruns", "nfs4")
    assert [probe["level"] for probe in document["probes"]] == ["warn", "good", "good", "warn", "warn", "skipped"]


def test_a_real_disk_is_tried_and_left_as_it_was(tmp_path, monkeypatch, run_cli):
    monkeypatch.chdir(tmp_path)
    found = run_cli("doctor")
    assert "rename is atomic" in found.out
    assert "Not there yet; tried in %s" % tmp_path in " ".join(found.out.split()).replace("\n", " ")
    assert os.listdir(str(tmp_path)) == ["cache"]


def test_a_place_that_is_no_store_yet_may_be_named(tmp_path, run_cli):
    found = run_cli("-d", str(tmp_path / "new" / "runs"), "doctor", "--json")
    document = json.loads(found.out)
    assert document["folder"] == str(tmp_path)
    assert os.listdir(str(tmp_path)) == ["cache"]


def test_f06_a_terminal_of_20_columns_has_no_line_that_is_wider(made_up, run_cli):
    found = run_cli("doctor", columns=20)
    assert widest(texts._COLOURS.sub("", found.out).splitlines()) <= 20


def test_where_something_is_bad_it_exits_with_1(made_up, run_cli, monkeypatch):
    found = doctor.examining.examine("mlruns", on_progress=lambda *_: None)
    bad = found._replace(probes=[*found.probes, Probe("locks", BAD, "given to two processes at once", "", {})])
    monkeypatch.setattr(doctor.examining, "examine", lambda *_, **__: bad)
    assert run_cli("doctor").code == 1


def test_the_documentation_shows_what_it_looks_like(made_up, run_cli):
    screen = run_cli("doctor", "--color", "never", columns=80).out
    assert "$ mini-mlflow doctor\n" + screen in DOCS.read_text(encoding="utf-8")
