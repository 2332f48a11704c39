"""Does anything of ours run what lies in the files of a run?"""

import io
import json
import os
import pickle
import struct
import zipfile

import pytest

import mini_mlflow
from mini_mlflow import artifacts
from mini_mlflow.cli.main import main

COMMANDS = [
    ["ls"],
    ["ls", "0", "--json"],
    ["show", "spiked", "--json"],
    ["compare", "spiked", "plain"],
    ["best", "loss:min"],
    ["history", "spiked"],
    ["plot", "loss"],
    ["tail", "spiked"],
    ["path", "spiked", "model.pkl"],
    ["check"],
    ["export", "csv", "out.csv"],
    ["export", "mlflow", "theirs"],
    ["report", "spiked", "-o", "page.html"],
    ["import", "mlflow", "theirs", "-d", "again"],
    ["merge", "mlruns", "-d", "united"],
    ["pack", "0"],
    ["show", "spiked"],
    ["check"],
    ["unpack", "0"],
    ["rm", "spiked"],
    ["gc", "--dry-run"],
    ["restore", "spiked"],
]


class Trap:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return open, (self.mark, "w")


def files_that_run(mark):
    """Return files, by name, that hold what would run if somebody unpickled it."""
    trap = pickle.dumps(Trap(mark), 2)
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
    model = io.BytesIO()
    with zipfile.ZipFile(model, "w") as archive:
        archive.writestr("archive/data.pkl", trap)
        archive.writestr("archive/version", "3\n")
    columns = b"PAR1" + trap + struct.pack("<I", len(trap)) + b"PAR1"
    return {
        "model.pkl": trap,
        "objects.npy": b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + trap,
        "model.pt": model.getvalue(),
        "table.parquet": columns,
        "model/python_model.pkl": trap,
    }


@pytest.fixture
def spiked(tmp_path, monkeypatch):
    """A store of two runs, one with such files also where values and tables are looked for; and the mark."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    mark = tmp_path / "mark"
    files = files_that_run(str(mark))
    for run_id in ("plain", "spiked"):
        with mini_mlflow.start_run(run_id=run_id) as run:
            run.log_param("lr", 0.1)
            run.log_metrics({"loss": 0.5})
            run.set_tag("team", "vision")
            run.log_table({"a": [1]}, "table.json")
    folder = tmp_path / "mlruns" / "0" / "spiked"
    for name, data in files.items():
        path = folder / "artifacts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        for part in ("", "params", "metrics", "tags"):
            (folder / part / os.path.basename(name)).write_bytes(data)
    return mark


def test_b20_the_trap_springs_where_somebody_loads_it(spiked):
    with open("mlruns/0/spiked/artifacts/model.pkl", "rb") as file:
        pickle.load(file).close()
    assert spiked.exists()


def test_b20_no_command_loads_what_a_file_would_run(spiked, capfd):
    for arguments in COMMANDS:
        code = main(arguments)
        assert code == 0 or (code == 1 and arguments == ["check"]), (arguments, capfd.readouterr())
        assert not spiked.exists(), arguments


def test_b20_no_function_that_reads_loads_what_a_file_would_run(spiked, tmp_path):
    for name in ("model.pkl", "objects.npy", "model.pt", "table.parquet", "model"):
        artifacts.download(mini_mlflow.get_run("spiked").info.artifact_uri, name, str(tmp_path / "got"))
    found = mini_mlflow.search_runs(output_format="list")
    assert {run.info.run_id for run in found} == {"plain", "spiked"}
    assert json.dumps(mini_mlflow.get_run("spiked").data.params) == '{"lr": 0.1}'
    mini_mlflow.compare("spiked", "plain")
    mini_mlflow.histories(found, ["loss"])
    mini_mlflow.report("spiked", path=str(tmp_path / "page.html"))
    assert not spiked.exists()
