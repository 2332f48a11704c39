"""The benchmarks work: their verbs do what they say, and a run leaves a report that is well formed. No time counts."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import mini_mlflow

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
SOURCES = Path(mini_mlflow.__file__).resolve().parent.parent

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the benchmarks run on Linux"),
]


def probe(folder, measurement, **options):
    """Run one measurement of ours as the benchmarks do, in a process of its own; return it and what it found."""
    result = folder / "result.json"
    command = [sys.executable, str(BENCHMARKS / "probe.py"), str(result), "mini_mlflow_here", measurement]
    process = subprocess.run(
        [*command, str(folder), json.dumps(options)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(BENCHMARKS), str(SOURCES)])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return process, json.loads(result.read_text()) if result.exists() else None


def found_by(folder, measurement, **options):
    process, found = probe(folder, measurement, **options)
    assert process.returncode == 0, process.stdout.decode()
    return found


def test_every_verb_of_ours_leaves_what_it_says(modules, tmp_path):
    from adapters import mini_mlflow_here

    def body(given):
        for step in range(3):
            given.log_value("loss", 0.5, step)
        given.log_step({"a": 1.0, "b": 2.0}, 0)
        given.log_param("lr", 0.1)
        given.set_tag("team", "x")

    mini_mlflow_here.run(str(tmp_path), body)
    tracker = mini_mlflow.ExperimentTracker(runs_dir=tmp_path / "mlruns")
    (run_id,) = tracker.list_runs()
    run = tracker.get_run(run_id)
    assert run["metadata"]["status"] == "FINISHED"
    assert run["metrics"] == {"a": 1.0, "b": 2.0, "loss": 0.5}
    assert (run["params"], run["tags"]) == ({"lr": 0.1}, {"team": "x"})
    assert mini_mlflow_here.read(str(tmp_path), "loss") == 3
    assert mini_mlflow_here.read(str(tmp_path), "a") == 1


def test_the_verbs_are_timed_each(tmp_path):
    found = found_by(tmp_path, "verbs", budget_s=0.01, most=50)
    for name in ("start_us", "first_value_us", "value_us", "bare_us", "ten_us", "param_us", "tag_us", "end_us"):
        assert found[name] > 0
    assert found["runs"] >= 3


def test_a_value_is_found_after_the_kill_that_followed_it(tmp_path):
    process, found = probe(tmp_path, "killed", count=5)
    assert (process.returncode, found) == (-signal.SIGKILL, None)
    assert found_by(tmp_path, "found_after")["found"] == 5


def test_growth_is_followed_to_the_count_that_was_asked_for(tmp_path):
    assert [count for count, _ in found_by(tmp_path, "history", most=300, budget_s=60)["points"]] == [100, 200, 300]
    assert [point[0] for point in found_by(tmp_path, "metrics", counts=[1, 3], budget_s=60)["points"]] == [1, 3]


def test_a_store_is_filled_with_runs_that_read_like_the_first(tmp_path):
    assert found_by(tmp_path, "fill.fill", runs=12, budget_s=60) == {"runs": 12, "import_s": pytest.approx(0, abs=60)}
    tracker = mini_mlflow.ExperimentTracker(runs_dir=tmp_path / "mlruns")
    ids = tracker.list_runs()
    assert len(ids) == 12
    for run_id in ids:
        run = tracker.get_run(run_id)
        assert run["metadata"]["run_id"] == run_id
        assert run["metrics"] == {"training_loss": 0.5}


def test_the_inside_of_a_value_and_of_a_run_is_found_where_it_is_looked_for(tmp_path):
    found = found_by(tmp_path, "probe_ours.one_value", count=20, blocks=2)
    assert {len(costs) for costs in found["costs"].values()} == {2}
    found = found_by(tmp_path, "probe_ours.one_run", runs=3)
    assert found["missing"] == []
    assert found["parts"]["owner.json, born locked"][1] == 1


def test_the_store_is_read_back_whole_while_reading_is_timed(tmp_path):
    assert len(found_by(tmp_path, "probe_ours.read_latest", runs=3, metrics=2)["costs"]["get_run"]) == 3
    found = found_by(tmp_path, "probe_ours.read_history", points=500)
    assert found["bytes"] > 500 * 20
    assert {len(costs) for costs in found["costs"].values()} == {3}
    assert found_by(tmp_path, "probe_ours.memory", few=10, many=30)["bytes_within"] > 0


# The report ------------------------------------------------------------------------------------------------------


def costs(median):
    return {"median": median, "min": median * 0.9, "max": median * 1.1, "n": 3}


def results():
    """What a run of all parts finds, with two trackers, one of them not installed and one measurement failed."""
    verbs = ("start_us", "first_value_us", "value_us", "bare_us", "value_over_bare", "all_in_us", "ten_us", "end_us")
    verbs += ("param_us", "start_again_us", "end_again_us", "run_again_us")
    disk = {"bytes": 1234, "bytes_on_disk": 4096, "files": 3}
    peer = {"verbs": dict.fromkeys(verbs, costs(2.0)), "import_us": costs(11000.0), "disk": disk}
    peer.update(script_s=costs(0.3), peak_bytes=costs(1.7e7), killed={"1": 1, "1000": 1000})
    other = dict(peer, verbs=dict.fromkeys(verbs, costs(400.0)), killed={"1": 0, "1000": None})
    points = {"points": [[100, 2.0], [1000, 2.1]]}
    runs = {"points": [[1, dict.fromkeys(("start_us", "value_us", "end_us", "read_newest_us"), costs(3.0))]]}
    ways = ("nothing", "bare", "function", "method", "append", "append_without_write")
    ways += ("append_without_write_and_clock", "write_alone", "clock_alone", "text_alone", "lock_alone")
    whole = dict.fromkeys(("start", "first_value", "end"), costs(5.0))
    run = {"whole": whole, "parts": {"x": [1.5, 2.0]}, "missing": []}
    slow = {"value_us": 3.0, "calls": 1.0}
    return {
        "date": "2026-11-24",
        "is_quick": False,
        "machine": {"system": "Linux 6.1", "processor": "P", "cores": 2, "memory_bytes": 10**10, "file_system": "ext4",
                    "python": "3.11.7"},
        "versions": {"ours": {"mini-mlflow": "0.2.0"}, "mlflow-files": {"mlflow-skinny": "3.17.2"}},
        "missing": {"aim": "no wheel for this Python"},
        "failures": {"mlflow-files: killed": "failed: oh"},
        "load": [0.1, 0.2],
        "duration_s": 100,
        "sizes": {"script_steps": 1000},
        "peers": {"ours": peer, "mlflow-files": other},
        "growth": {"history": {"ours": points, "mlflow-files": None},
                   "metrics": {"ours": {"points": [[1, 9.0, 2.0], [10, 9.0, 2.0]]}}, "runs": {"ours": runs}},
        "ours": {
            "one_value": {"costs": dict.fromkeys([*ways, "log_metrics_of_ten"], costs(1.0)), "over_bare": costs(1.4)},
            "one_run": run,
            "one_run_no_fsync": None,
            "modules": {"mini_mlflow.run": costs(700.0)},
            "memory": {"bytes_within": 900.0, "bytes_beyond": 240.0},
            "read_latest": {"runs": 3, "metrics": 5,
                            "costs": dict.fromkeys(("list_runs", "get_run", "json_loads"), costs(1.0))},
            "read_history": {"points": 9, "bytes": 999,
                             "costs": dict.fromkeys(("history", "json_loads", "latest"), costs(1.0))},
        },
        "slow-disk": {"ours": {"0": slow, "1000": slow, "10000": slow}, "mlflow-files": {"0": slow, "1000": None}},
    }  # fmt: skip


def test_the_report_has_every_part_and_its_tables_and_plots_are_well_formed(modules, tmp_path):
    import report

    text = Path(report.write(results(), str(tmp_path))).read_text(encoding="utf-8")
    for part in ("hold ourselves to", "One logged value", "The other verbs", "A whole script", "What grows",
                 "Where the time goes", "On a slow disk", "How it is measured"):  # fmt: skip
        assert re.search(rf"^## .*{part}", text, re.MULTILINE)
    assert "no wheel for this Python" in text
    assert "failed: oh" in text
    check_form(text, tmp_path / "docs")


def check_form(text, folder):
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({line.count("|") for line in block.splitlines()}) == 1
    images = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)
    assert images
    for image in images:
        drawn = (folder / image).read_text(encoding="utf-8")
        assert ET.fromstring(drawn).tag.endswith("svg")
        assert "prefers-color-scheme: dark" in drawn
        assert "nan" not in drawn.lower()


def test_a_target_that_is_missed_is_said_to_be_missed(modules):
    import targets

    rows = targets.rows(results())
    assert [row[1] for row in rows if "memory" in row[0]] == ["240 bytes"]
    assert [row[2] for row in rows if "memory" in row[0]] == ["**no**"]
    assert [row[2] for row in rows if "file store" in row[0] and "one value" in row[0]] == ["yes"]


def test_what_a_queue_costs_counts_on_return_and_with_the_end_of_the_run(modules):
    import targets

    def tracker(value_us, all_in_us):
        verbs = {"value_us": value_us, "all_in_us": all_in_us}
        return {"verbs": {name: {"median": cost} for name, cost in verbs.items()}}

    found = {"ours": tracker(1.9, 2.0), "sacred": tracker(1.1, 4.8), "trackio": tracker(8.3, 23)}
    rows = targets.rows({"peers": found})
    assert [row[1:] for row in rows if "only queues" in row[0]] == [("1.9 µs; of them, sacred: 1.1 µs", "**no**")]
    assert [row[1:] for row in rows if "what is queued" in row[0]] == [("2 µs; of them, sacred: 4.8 µs", "yes")]


def test_searches_are_compared_where_both_have_as_many_runs(modules):
    import targets

    def point(first_s):
        return {"first_s": {"median": first_s}, "memory": {"median": 4e7}}

    found = {"ours": [[1000, point(0.1)], [100000, point(0.2)]], "mlflow-sqlite": [[1000, point(3.0)]]}
    rows = targets.rows({"searching": found})
    assert [row[1:] for row in rows if "SQLite" in row[0]] == [("1/30, of 1,000 runs", "yes")]
    assert [row[2] for row in rows if "top 100" in row[0]] == ["**no**"]


def test_a_page_is_held_to_a_second_and_to_the_others(modules):
    import targets

    points = {name: {"again": {"chart_s": {"median": cost}}} for name, cost in (("ours", 1.2), ("trackio", 90.0))}
    sweeps = [[30, 5, 200, {}], [50, 10, 10000, dict(points, other={"failed": "no"})]]
    rows = targets.rows({"page": {"sweeps": sweeps}})
    assert [row[1:] for row in rows] == [("1.20 s", "**no**"), ("1/75", "yes")]
    assert "50 runs × 10 metrics × 10,000" in rows[0][0]
    rows = targets.rows({"page": {"sweeps": [[9, 9, 9, {"ours": {"failed": "no chart within 120 s"}}]]}})
    assert [row[1:] for row in rows] == [("no chart within 120 s", "**no**")]


def test_a_result_is_written_with_three_digits_that_count(modules):
    import words

    written = [words.number(value) for value in (0.0123456, 1.23456, 99.96, 123.456, 12345.6, None)]
    assert written == ["0.0123", "1.23", "100", "123", "12,300", "–"]
    assert words.size(1234567) == "1.23 MB"


def test_an_unknown_peer_or_part_is_refused(tmp_path):
    for option in ("--only=nobody", "--only-part=nothing"):
        process = subprocess.run(
            [sys.executable, str(BENCHMARKS / "run.py"), option], cwd=tmp_path, stderr=subprocess.PIPE, check=False
        )
        assert process.returncode == 2
        assert b"there are" in process.stderr


def test_a_report_of_a_run_that_is_there_is_well_formed():
    page = BENCHMARKS.parent / "docs" / "benchmarks.md"
    if not page.exists():
        pytest.skip("docs/benchmarks.md has not been made yet")
    check_form(page.read_text(encoding="utf-8"), page.parent)


def test_parts_that_were_measured_one_after_the_other_become_one_report(modules, tmp_path):
    import run

    path = max((BENCHMARKS / "results").glob("*.json"))
    whole = json.loads(path.read_text())
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    bare = {name: part for name, part in whole.items() if name not in [*whole["parts"], "runs"]}
    peers = dict(bare, parts=["peers"], peers=whole["peers"], load=[1.0, 2.0], duration_s=10, missing={"aim": "no"})
    ours = dict(bare, parts=["ours"], ours=whole["ours"], load=[3.0, 4.0], duration_s=5)
    ours["machine"] = dict(whole["machine"], cores=99)
    first.write_text(json.dumps(peers))
    second.write_text(json.dumps(ours))
    command = ["--render", str(first), str(second), "--out", str(tmp_path)]
    assert run.main(command) == 0
    (written,) = (tmp_path / "benchmarks" / "results").glob("*-99core.json")
    joined = json.loads(written.read_text())
    assert (joined["peers"], joined["ours"]) == (whole["peers"], whole["ours"])
    assert (joined["parts"], joined["duration_s"]) == (["peers", "ours"], 15)
    assert [(each["parts"], each["load"]) for each in joined["runs"]] == [(["peers"], [1, 2]), (["ours"], [3, 4])]
    assert "aim" not in joined["missing"]
    page = (tmp_path / "docs" / "benchmarks.md").read_text()
    assert "in 2 runs, each with parts of its own" in page
    assert "(peers)" in page
    assert "99 cores" in page
    for other in (
        dict(ours, is_quick=not whole["is_quick"]),
        dict(ours, sizes=dict(whole["sizes"], most=1)),
        dict(ours, parts=["peers", "ours"]),
        dict(ours, versions=dict(whole["versions"], ours={"mini-mlflow": "0.1.9"})),
    ):
        second.write_text(json.dumps(other))
        with pytest.raises(SystemExit, match="stopped"):
            run.main(command)


def test_a_peer_that_cannot_be_installed_is_told_in_one_line(modules, tmp_path, monkeypatch):
    import environments
    from peers import PEERS

    monkeypatch.setenv("PIP_NO_INDEX", "1")
    peer = PEERS["0.1.0"]._replace(requirements=["no-such-tracker==0.0.1"])
    with pytest.raises(environments.NotInstalledError, match="no-such-tracker") as caught:
        environments.prepare(peer, str(tmp_path / "environments"))
    assert "\n" not in str(caught.value)
