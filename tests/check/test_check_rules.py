"""Each rule of docs/format.md: what breaks it is found, and mended where no value is lost by it."""

import errno
import json
import os
import re
from pathlib import Path

import pytest
from broken_store import ROWS, content, files_in, write
from ways_to_break import BREAKS, copy_of

from mini_mlflow import Run, create_experiment, packs
from mini_mlflow.check.stores import check_store, repair_store
from mini_mlflow.layout import hashed_stem

FORMAT = Path(__file__).parents[2] / "docs" / "format.md"
needs_links = pytest.mark.skipif(os.name == "nt", reason="links need rights there")

# What files cannot show: a rule of what is done, or of how files are read.
CANNOT_BREAK = {
    "S6": "an order in which runs are listed; a start time of another form is Y3",
    "D2": "a rename leaves the new file or the old one, and D1's temporary one",
    "D5": "which folders a writer makes; what it leaves behind is D1",
    "K1": "other doors may bring any key",
    "M2": "how a row is written; what a kill leaves is M4 or M8",
    "M6": "spaces that may be there or not",
    "M11": "a second name is a backup, and to be kept",
    "M12": "when a writer looks",
    "M13": "what a new owner does; what it finds is M4, M8 and M9",
    "E2": "how an experiment is made; two of one name are E3",
    "E4": "what is made when it is asked for",
    "W1": "nobody sees in a file who wrote it",
    "W3": "how a lock is taken",
    "W4": "who may take over; the second name that a kill leaves is D1",
    "W5": "who resumes where",
    "W9": "which step comes next; any step is legal",
    "W10": "what a forked child does",
    "W11": "what a writer does when another has been there",
    "W12": "how a tag is removed",
    "A4": "what a process prints, and any file may be called so",
    "L1": "what a lock tells",
    "L2": "who gives signs of life",
    "T2": "a name with a number, and any number is legal",
    "T4": "what is removed",
    "T7": "how a run is moved; an old experiment_id in it is S3",
    "Z6": "how a run is unpacked; what a kill leaves is Z8",
    "Z7": "which runs are packed",
    "X1": "a time that tells of a change",
    "P1": "when a value is safe",
    "P2": "what is synced when",
    "P3": "what a failed write leaves; it is a whole file or M8",
    "P4": "what is kept in memory",
}
WITH_A_WRITER = {"T3"}  # needs a process that writes; see test_check_living.py


def rules_of_the_format():
    return re.findall(r"^- \*\*([A-Z][0-9]+)\*\*", FORMAT.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_rule_is_checked_or_cannot_be_broken_by_files():
    found = {rule for rule, *_ in BREAKS} | WITH_A_WRITER
    assert found & set(CANNOT_BREAK) == set()
    assert sorted(found | set(CANNOT_BREAK)) == sorted(rules_of_the_format())


def test_a_sound_store_has_nothing_wrong(sound):
    report = check_store(sound.folder)
    assert (report.findings, report.runs, report.living, report.metric_files) == ([], 2, 0, 4)


@needs_links
@pytest.mark.parametrize(
    ("rule", "level", "is_mended", "what", "damage"), BREAKS, ids=["%s-%s" % (each[0], each[3]) for each in BREAKS]
)
def test_what_breaks_a_rule_is_found_and_mended_where_no_value_is_lost(
    sound, at_once, rule, level, is_mended, what, damage
):
    before = sound.folder
    damage(sound)
    found = [finding for finding in sound.findings() if finding.rule == rule and finding.level == level]
    assert found, (what, sound.findings())
    assert (found[0].repair is not None) == is_mended, found
    rows_before = sound.rows() if os.path.isdir(sound.run) else None
    repair = repair_store(before)
    left = [finding for finding in repair.report.findings if finding.rule == rule and finding.level == level]
    assert repair.unmended == []
    assert bool(left) == (not is_mended), left
    if is_mended:
        assert found[0] in repair.mended
    if rows_before is not None and os.path.isdir(sound.run):
        assert set(rows_before) <= set(sound.rows())


@needs_links
@pytest.mark.parametrize("what", [each[3] for each in BREAKS if not each[2]])
def test_what_cannot_be_mended_stays_as_it_is_to_the_byte(sound, what):
    next(each[4] for each in BREAKS if each[3] == what and not each[2])(sound)
    before = files_in(sound.folder)
    is_mendable = {finding.path for finding in sound.findings() if finding.repair is not None}
    repair_store(sound.folder)
    after = files_in(sound.folder)
    changed = {path for path in before if after.get(path) != before[path]}
    assert changed <= is_mendable


def test_a_name_that_differs_only_in_case_gets_its_hashed_one(sound):
    copy_of(sound.path("params", "lr.json"), "LR.json", lambda data: data.replace(b'"lr"', b'"LR"'))
    repair_store(sound.folder)
    there = os.listdir(sound.path("params"))
    assert "LR.json" in there
    assert hashed_stem("lr") + ".json" in there
    assert {"lr", "LR"} <= set(sound.read().params)


def test_every_row_of_a_torn_file_is_kept_and_the_rest_is_not_rewritten(sound):
    data = content(sound.loss)
    end = data.rindex(b"\n[")
    write(sound.loss, data[: end + 12])
    assert "M8" in sound.rules()
    repair_store(sound.folder)
    mended = content(sound.loss)
    assert mended.startswith(data[: end - 1])
    assert len(json.loads(mended.decode())["history"]) == ROWS - 1
    assert sound.rules() == []


def test_the_text_tells_where_the_bytes_are_that_are_no_row(sound):
    data = content(sound.loss)
    write(sound.loss, data[: data.rindex(b"\n[") + 12])
    (finding,) = sound.findings()
    numbers = [int(number.replace(",", "")) for number in re.findall(r"bytes ([\d,]+) to ([\d,]+)", finding.text)[0]]
    assert b"\n[" in data[numbers[0] - 1 : numbers[1] + 1]
    assert finding.path == "0/first/metrics/loss.json"


def test_one_experiment_alone_can_be_checked(sound):
    other = create_experiment("other", runs_dir=sound.folder)
    run = Run(runs_dir=sound.folder, run_id="there", experiment_id=other)
    run.log_param("x", 1)
    run.end()
    write(os.path.join(sound.folder, "0", "first", "params", "lr.json"), "")
    assert check_store(sound.folder, experiment_ids=[other]).findings == []
    assert [finding.rule for finding in check_store(sound.folder, experiment_ids=[0]).findings] == ["D1"]


def test_a_store_that_is_not_there_has_nothing_wrong(tmp_path):
    assert check_store(str(tmp_path / "nowhere")).runs == 0
    assert repair_store(str(tmp_path / "nowhere")).report.findings == []
    assert os.listdir(str(tmp_path)) == []


def test_progress_counts_to_the_end(sound):
    told = []
    check_store(sound.folder, on_progress=lambda done, total: told.append((done, total)))
    assert told == [(number, told[0][1]) for number in range(1, told[0][1] + 1)]


def test_a_check_writes_nothing(sound):
    write(sound.path("params", "lr.json"), "")
    before = files_in(sound.folder)
    check_store(sound.folder)
    assert files_in(sound.folder) == before


def test_a_number_sign_in_a_value_is_no_comment_and_hinders_no_repair(sound):
    path = sound.path("meta.yaml")
    write(path, content(path).replace(b'"calm-otter"', b'"run #7"').replace(b'run_id: "first"', b'run_id: "other"'))
    assert [finding.rule for finding in repair_store(sound.folder).mended] == ["S3"]
    assert sound.read().metadata["name"] == "run #7"
    assert sound.findings() == []


def test_a_run_that_was_copied_to_another_experiment_by_hand_is_told_once_and_mended(sound):
    target = os.path.join(sound.folder, "007")
    os.makedirs(target)
    os.rename(sound.run, os.path.join(target, "third"))
    (finding,) = [finding for finding in sound.findings() if finding.rule == "S3"]
    assert "first" in finding.text
    assert "007/third" in finding.text
    repair_store(sound.folder)
    assert sound.findings() == []


def test_packed_runs_are_counted_and_read_to_their_last_byte(sound):
    packs.pack(0, runs_dir=sound.folder)
    report = check_store(sound.folder)
    assert (report.runs, report.findings) == (2, [])


def test_an_experiment_whose_folder_cannot_be_read_is_told(sound, monkeypatch):
    listdir = os.listdir
    folder = os.path.join(sound.folder, "0")

    def refuse(path="."):
        if str(path) == folder:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return listdir(path)

    exists = os.path.lexists
    monkeypatch.setattr(os, "listdir", refuse)
    monkeypatch.setattr(os.path, "lexists", lambda path: not str(path).startswith(folder + os.sep) and exists(path))
    found = check_store(sound.folder)
    assert [os.path.basename(each.path) for each in found.findings if "Permission denied" in each.text] == ["0"]
