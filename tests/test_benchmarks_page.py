"""The benchmark of pages: the same sweep is written, failures are told, a server is ended. No time counts."""

import os
import sys

import pytest

import mini_mlflow

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the benchmarks run on Linux"),
    pytest.mark.usefixtures("modules"),
]


def costs(median):
    return {"median": median, "min": median * 0.9, "max": median * 1.1, "n": 3}


def test_our_sweep_holds_the_runs_metrics_and_steps_that_were_asked_for(tmp_path):
    import sweeps
    from adapters import mini_mlflow_here

    sweeps.write(mini_mlflow_here, str(tmp_path), runs=3, metrics=2, steps=5)
    tracker = mini_mlflow.ExperimentTracker(runs_dir=tmp_path / "mlruns")
    ids = tracker.list_runs()
    assert len(ids) == 3
    histories = {(key, run): tracker.history(run, key) for key in ("metric_0", "metric_1") for run in ids}
    assert {len(history) for history in histories.values()} == {5}
    assert len({tuple(row.value for row in history) for history in histories.values()}) == 6


def test_a_sweep_of_ours_beyond_the_logged_runs_is_of_copies_with_ids_of_their_own(tmp_path, monkeypatch):
    import sweeps
    from adapters import mini_mlflow_here

    monkeypatch.setattr(sweeps, "MOST_LOGGED", 2)
    sweeps.write(mini_mlflow_here, str(tmp_path), runs=7, metrics=2, steps=5)
    found = mini_mlflow.search_runs(output_format="list", runs_dir=tmp_path / "mlruns")
    assert len({run.info.run_id for run in found}) == 7
    assert len({run.data.metrics["metric_1"] for run in found}) == 2


def test_copies_of_a_run_in_the_files_of_mlflow_have_curves_of_their_own(tmp_path):
    import sweeps

    run = tmp_path / ("a" * 32)
    for folder in ("metrics", "params", "tags"):
        (run / folder).mkdir(parents=True)
    (run / "meta.yaml").write_text("run_id: %s\nrun_name: run-00\n" % run.name)
    (run / "metrics" / "metric_0").write_text("1 0.5 0\n")
    sweeps._copy_files(str(tmp_path), run.name, 3, ["metric_0"], 4)
    copies = [folder for folder in tmp_path.iterdir() if folder != run]
    assert sorted((copy / "params" / "seed").read_text() for copy in copies) == ["1", "2"]
    assert all("run_id: %s\n" % copy.name in (copy / "meta.yaml").read_text() for copy in copies)
    assert len({(copy / "metrics" / "metric_0").read_text() for copy in copies}) == 2


def test_without_a_browser_the_part_says_what_is_missing(tmp_path, monkeypatch):
    import parts

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("MINI_MLFLOW_CHROMIUM", raising=False)
    bench = parts.Bench({}, parts.QUICK, str(tmp_path), lambda text: None)
    assert "chromium is missing" in parts.measure_pages(bench)["skipped"]


def test_a_server_that_does_not_come_up_is_told_by_its_last_line_and_ended(tmp_path, monkeypatch):
    import pages

    code = "import os; open('pid', 'w').write(str(os.getpid())); print('no such store'); raise SystemExit(3)"
    monkeypatch.setattr(pages, "_command", lambda *given: ["-c", code])
    with pytest.raises(pages.FailedError, match="no such store"), pages.served("ours", sys.executable, str(tmp_path)):
        pass
    with pytest.raises(OSError, match=r"."):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_the_report_has_a_row_for_each_page_and_says_why_one_is_missing():
    import looking
    import pages

    seen = {field: costs(2.0) for field in pages.FIELDS}
    seen["is_quiet"] = True
    slow = dict(seen, chart_s=costs(8.0), is_quiet=False)
    points = {"ours": {"first": seen, "again": seen}, "trackio": {"first": slow, "again": slow},
              "mlflow-files": {"failed": "in the browser: no chart within 120 s"}}  # fmt: skip
    found = {"browser": "Chromium 1", "versions": {"trackio": {"trackio": "0.43.0"}}, "missing": {},
             "sweeps": [[50, 10, 10000, points]]}  # fmt: skip
    text = looking.render(found, 10)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in rows}) == 1
    assert "| 4× |" in next(line for line in rows if "Trackio" in line)
    assert "| 2+ | 2 B+ |" in next(line for line in rows if "Trackio" in line)
    assert "no chart within 120 s" in text
    assert "trackio 0.43.0" in text
    assert "chromium is missing" in looking.render({"skipped": "chromium is missing"}, 10)
