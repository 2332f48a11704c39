"""Does ``report`` write the runs that words mean, say so, and end with the right code?"""

import json
import os

import pytest


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def bootstrap(path):
    text = path.read_text(encoding="utf-8")
    start = text.index('id="bootstrap">') + len('id="bootstrap">')
    return json.loads(text[start : text.index("</script>", start)])


def test_a_report_of_an_experiment_of_chosen_runs_and_of_a_filter(sweep, run_cli, here):
    whole = run_cli("report", "-e", "cifar10-sweep", columns=80)
    assert (whole.code, whole.err) == (0, "")
    assert whole.out == "24 runs to report.html · 3 metrics · without provenance\n"
    assert bootstrap(here / "report.html")["runs"]["total"] == 24
    some = run_cli("report", "mellow-wren", "last", "-o", "some.html", "--provenance", "--ascii")
    assert (some.code, some.err) == (0, "")
    assert some.out.startswith("2 runs to some.html")
    assert some.out.rstrip().endswith("with provenance")
    assert some.out.isascii()
    rows = bootstrap(here / "some.html")["runs"]["rows"]
    assert rows["name"][0] == "mellow-wren"
    best = run_cli("report", "best:val.acc", "-o", "best.html", "--json", "-e", "cifar10-sweep")
    document = json.loads(best.out)
    assert (document["schema"], document["runs"], document["provenance"]) == ("mini-mlflow/report/1", 1, False)
    assert document["size_bytes"] == os.path.getsize("best.html")
    found = run_cli("report", "-e", "cifar10-sweep", "-f", "lr = 0.01", "-o", "filtered.html")
    assert found.code == 0
    assert 0 < bootstrap(here / "filtered.html")["runs"]["total"] < 24


def test_rows_of_the_last_list_are_runs_of_a_report(sweep, run_cli, here):
    listed = json.loads(run_cli("ls", "cifar10-sweep", "--json").out)["runs"]
    assert run_cli("ls", "cifar10-sweep", columns=80).code == 0
    assert run_cli("report", "1-3", "-o", "three.html", columns=80).code == 0
    ids = bootstrap(here / "three.html")["runs"]["rows"]["id"]
    assert ids == [run["run_id"] for run in listed[:3]]


def test_what_cannot_be_reported_is_told_with_its_code(sweep, run_cli, here):
    assert run_cli("report").code == 2
    assert "-e EXPERIMENT" in run_cli("report").err
    assert run_cli("report", "last", "-f", "lr = 1").code == 2
    assert run_cli("report", "no-such-run").code == 3
    assert run_cli("report", "-e", "cifar10-sweep", "-f", "lr > 1000000").code == 3
    assert not (here / "report.html").exists()
    (here / "report.html").write_text("mine")
    refused = run_cli("report", "last")
    assert refused.code == 2
    assert "--force" in refused.err
    assert (here / "report.html").read_text() == "mine"
    assert run_cli("report", "last", "--force").code == 0
    assert run_cli("report", "last", "-o", "no/such/folder.html").code == 5
