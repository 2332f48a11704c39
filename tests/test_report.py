"""Does a report hold what it should, nothing beside, in a file that asks nobody for anything?"""

import html.parser
import json
import math
import os
import re
import struct
import subprocess
import sys
import zlib
from array import array
from base64 import b64decode, b64encode
from hashlib import sha256
from random import Random

import pytest

import mini_mlflow
from mini_mlflow.errors import InvalidValueError, RunNotFoundError
from mini_mlflow.ui import report as reports
from mini_mlflow.ui import report_curves

NOW_MS = 1795425502982


class Parts(html.parser.HTMLParser):
    """What a browser finds in a page: every tag with its attributes, the texts of scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.scripts, self.styles, self.data = [], [], [], {}
        self._open = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self._open = (tag, dict(attributes)) if tag in ("script", "style") else None

    def handle_data(self, data):
        if self._open is None:
            return
        tag, about = self._open
        if tag == "style":
            self.styles.append(data)
        elif "type" in about:
            self.data[about["id"]] = self.data.get(about["id"], "") + data
        else:
            self.scripts.append(data)

    def handle_endtag(self, tag):  # noqa: ARG002 - as it is called
        self._open = None

    @property
    def first(self):
        """What the page begins with."""
        return json.loads(self.data["bootstrap"])

    def unpack(self):
        """Return what is looked at later, and the curves by run and metric: x, y, and the means' x, y and weights."""
        data = zlib.decompress(b64decode(self.data["rest"]))
        (length,) = struct.unpack("<I", data[:4])
        rest, points = json.loads(data[4 : 4 + length].decode("utf-8")), data[4 + length :]
        return rest, read_curves(rest, points)


def read_curves(rest, points):
    """Return the curves, as static/packed.js reads them."""
    wholes, floats, doubles = struct.unpack("<III", points[:12])
    whole = iter(points[12 : 12 + wholes])
    at = 12 + wholes
    narrow = from_planes(points[at : at + 4 * floats], floats, "f")
    wide = from_planes(points[at + 4 * floats :], doubles, "d")
    sources = {"f": iter(narrow), "d": iter(wide)}

    def number():
        found = shift = 0
        for byte in whole:
            found |= (byte & 127) << shift
            if byte < 128:
                return found
            shift += 7
        raise ValueError("A number is cut off.")

    def distances(count):
        found, here = [], 0
        for _ in range(count):
            step = number()
            here += -(step + 1) // 2 if step % 2 else step // 2
            found.append(float(here))
        return found

    def take(kind, count):
        return [next(sources[kind]) for _ in range(count)]

    curves = {}
    for each in rest["curves"]:
        if not each["n"]:
            continue
        n, m = each["n"], each["m"]
        xs, mxs = (take("d", n), take("d", m)) if each.get("x") else (distances(n), distances(m))
        weights = [number() for _ in range(m)]
        curves[each["run"], rest["keys"][each["metric"]]] = (xs, take(each["y"], n), mxs, take(each["y"], m), weights)
    assert next(whole, None) is None
    return curves


def from_planes(data, count, kind):
    size = struct.calcsize(kind)
    whole = b"".join(bytes(data[plane * count + place] for plane in range(size)) for place in range(count))
    return struct.unpack("<%d%s" % (count, kind), whole)


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("MINI_MLFLOW_DIR", str(tmp_path / "mlruns"))
    monkeypatch.setenv("MINI_MLFLOW_PROGRESS", "off")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "mlruns"


def log(name, values, *, params=(), **how):
    with mini_mlflow.start_run(run_name=name, **how) as run:
        for key, value in dict(params).items():
            run.log_param(key, value)
        for key, rows in values.items():
            for step, value in enumerate(rows):
                run.log_metric(key, value, step=step)
    return run.info.run_id


def read(path):
    with open(str(path), encoding="utf-8", newline="") as file:
        return Parts(file.read())


def test_a_report_holds_the_runs_given_with_their_columns_details_and_curves(store):
    first = log("calm-seal", {"loss": [0.5, 0.25]}, params={"lr": 0.1, "opt": "adam"})
    second = log("quick-tern", {"loss": [0.75, 0.5], "acc": [0.9]}, params={"lr": 0.2, "opt": "adam"})
    log("other", {"secret.metric": [1.0]}, params={"hidden": 1})
    assert mini_mlflow.report([second, first], "out.html") == "out.html"
    parts = read("out.html")
    rest, curves = parts.unpack()
    assert parts.first["is_report"] is True
    assert parts.first["runs"]["rows"]["id"] == [second, first]
    assert parts.first["runs"]["statuses"] == {"FINISHED": 2}
    assert [each["key"] for each in parts.first["runs"]["keys"]["metrics"]] == ["acc", "loss"]
    assert [(each["key"], each["is_varying"]) for each in parts.first["runs"]["keys"]["params"]] == [
        ("lr", True),
        ("opt", False),
    ]
    assert rest["columns"]["metrics.loss"]["values"] == [0.5, 0.25]
    assert rest["columns"]["max(loss)"]["values"] == [0.75, 0.5]
    assert rest["columns"]["params.lr"]["values"] == [0.2, 0.1]
    assert {ref.rpartition("/")[2] for ref in rest["details"]} == {first, second}
    assert [row["key"] for row in rest["compare"]["params"]] == ["lr"]
    assert curves[0, "loss"][:2] == ([0.0, 1.0], [0.75, 0.5])
    assert curves[1, "loss"][:2] == ([0.0, 1.0], [0.5, 0.25])
    text = json.dumps([parts.first, rest])
    for word in ("secret.metric", "hidden", "other"):
        assert word not in text


def test_c03_nothing_but_its_own_script_and_style_may_run_and_no_request_may_leave(store):
    log("calm-seal", {"loss": [0.5]})
    mini_mlflow.report(mini_mlflow.search_runs(output_format="list"), "out.html")
    parts = read("out.html")
    policy = next(about["content"] for _, about in parts.tags if about.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    digests = {
        kind: ["'sha256-%s'" % b64encode(sha256(text.encode()).digest()).decode() for text in texts]
        for kind, texts in (("script-src", parts.scripts), ("style-src", parts.styles))
    }
    assert rules["default-src"] == "'none'"
    assert rules["script-src"].split() == digests["script-src"]
    assert rules["style-src"].split() == digests["style-src"]
    assert set(rules) == {"default-src", "script-src", "style-src", "img-src", "base-uri", "form-action"}
    assert rules["img-src"] == "data:"
    assert [tag for tag, _ in parts.tags].index("meta") < [tag for tag, _ in parts.tags].index("style")
    for tag, about in parts.tags:
        assert "src" not in about, tag
        assert about.get("href", "data:").startswith("data:"), tag
        assert not [name for name in about if name.startswith("on") or name == "style"], tag


def test_c02_data_that_looks_like_a_script_is_data(store):
    nasty = "</script><!--<script>\u2028<img src=x onerror=alert(1)>"
    run_id = log(nasty, {"loss": [0.5]}, params={"opt": nasty}, tags={"odd": nasty})
    mini_mlflow.report(run_id, "out.html")
    parts = read("out.html")
    raw = parts.data["bootstrap"] + parts.data["rest"]
    assert "<" not in raw
    assert "\u2028" not in raw
    assert parts.first["runs"]["rows"]["name"] == [nasty]
    assert len(parts.scripts) == 2
    assert [tag for tag, _ in parts.tags].count("img") == 0
    (told,) = parts.unpack()[0]["details"].values()
    assert (told["params"][0]["value"], told["tags"]["odd"]) == (nasty, nasty)


def test_c04_a_report_tells_nothing_of_where_runs_come_from_unless_asked(store, tmp_path):
    script = "import mini_mlflow\nwith mini_mlflow.start_run() as run:\n    run.log_metric('loss', 0.5)\n"
    (tmp_path / "train-secretly.py").write_text(script)
    source = os.path.dirname(os.path.dirname(mini_mlflow.__file__))
    environment = {**os.environ, "USER": "mallory", "LOGNAME": "mallory", "PYTHONPATH": source}
    environment["MINI_MLFLOW_PROVENANCE"] = "on"
    for command in (["init", "-q"], ["add", "-A"], ["-c", "user.name=m", "-c", "user.email=m@x", "commit", "-qm", "m"]):
        subprocess.run(["git", *command], cwd=str(tmp_path), check=True, env=environment)
    (tmp_path / "train-secretly.py").write_text(script + "# unsaved-change\n")
    subprocess.run(
        [sys.executable, "train-secretly.py", "--token-like"], cwd=str(tmp_path), check=True, env=environment
    )
    (run,) = mini_mlflow.search_runs(output_format="list")
    mini_mlflow.report(run, "plain.html")
    mini_mlflow.report(run, "whole.html", provenance=True)
    told = {}
    for name in ("plain", "whole"):
        parts = read(name + ".html")
        told[name] = json.dumps([parts.first, parts.unpack()[0]])
    record = json.loads(told["whole"])[1]["details"]["0/0/" + run.info.run_id]["provenance"]
    words = ["train-secretly", "--token-like", str(tmp_path), "mallory", record["host"], record["git_commit"], "PyYAML"]
    words += ["unsaved-change"]
    for word in words[:-2]:
        assert word in told["whole"], word
    for word in words:
        assert word not in told["plain"], word


def test_a_diff_goes_along_with_the_provenance(store):
    with mini_mlflow.start_run() as run:
        mini_mlflow.log_text("+ new line\n", "git.diff")
    mini_mlflow.report(run.info.run_id, "plain.html")
    mini_mlflow.report(run.info.run_id, "whole.html", provenance=True)
    ref = "0/0/" + run.info.run_id
    assert read("plain.html").unpack()[0]["diffs"] == {}
    assert read("plain.html").unpack()[0]["details"][ref]["has_diff"] is False
    assert read("whole.html").unpack()[0]["diffs"][ref]["text"] == "+ new line\n"


def test_values_that_no_float_holds_survive(store):
    values = [float("nan"), 1.0, float("inf"), -2.5, float("-inf")]
    wide = [1e300, -1e300, 5e-324, 0.1, 0.2]
    run_id = log("odd", {"odd": values, "wide": wide})
    mini_mlflow.report(run_id, "out.html")
    _, curves = read("out.html").unpack()
    assert json.dumps(curves[0, "odd"][1]) == json.dumps(values)
    assert curves[0, "wide"][1] == wide


@pytest.mark.parametrize("bits", [15, 20, 23])
def test_rounding_keeps_what_a_chart_shows(bits):
    values = array("f", [0.1, -123.456, 3.4e38, -3.4028234663852886e38, 1e-40, 0.0, math.nan, math.inf, -math.inf])
    values.append(32767)
    rounded = report_curves.round_floats(values, bits)
    for before, after in zip(values, rounded):
        if math.isfinite(before):
            assert math.isfinite(after)
            assert abs(after - before) <= max(abs(before) * 2.0**-bits, 1e-40)
        else:
            assert str(before) == str(after)
    assert rounded[-1] == 32767


def test_a_curve_in_a_narrow_range_has_no_steps(store):
    values = [1 + step * 1e-6 for step in range(100)]
    run_id = log("narrow", {"m": values})
    mini_mlflow.report(run_id, "out.html")
    assert len(set(read("out.html").unpack()[1][0, "m"][1])) == 100


def test_a_long_curve_is_thinned_to_what_a_chart_shows_and_its_ends_are_exact(store):
    run_id = log("long", {})
    with mini_mlflow.start_run(run_id=run_id) as run:
        for step in range(3000):
            run.log_metric("loss", math.sin(step) + (100 if step == 1234 else 0), step=step)
    mini_mlflow.report(run_id, "out.html")
    rest, curves = read("out.html").unpack()
    xs, ys, mxs, mys, weights = curves[0, "loss"]
    (about,) = rest["curves"]
    assert len(xs) <= 802
    assert (xs[0], xs[-1]) == (0.0, 2999.0)
    assert ys[xs.index(1234.0)] == pytest.approx(100 + math.sin(1234), rel=1e-4)
    assert about["max"]["value"] == math.sin(1234) + 100
    assert about["rows"] == sum(weights) == 3000
    assert sum(map(float.__mul__, map(float, weights), mys)) == pytest.approx(
        sum(math.sin(step) for step in range(3000)) + 100, abs=0.5
    )
    assert mxs == sorted(mxs)


def test_packed_runs_and_runs_of_mlflow_are_reported(store):
    run_id = log("calm-seal", {"loss": [0.5, 0.25]})
    mini_mlflow.pack()
    assert not (store / "0" / run_id).exists()
    mini_mlflow.report(mini_mlflow.search_runs(output_format="list"), "out.html")
    assert read("out.html").unpack()[1][0, "loss"][1] == [0.5, 0.25]
    mini_mlflow.report(run_id, "again.html")
    assert read("again.html").first["runs"]["rows"]["name"] == ["calm-seal"]


def test_runs_of_mlflows_own_files_are_reported(store, tmp_path):
    run = tmp_path / "theirs" / "0" / ("a" * 32)
    for folder in ("params", "metrics", "tags", "artifacts"):
        (run / folder).mkdir(parents=True)
    (run.parent / "meta.yaml").write_text("experiment_id: '0'\nlifecycle_stage: active\nname: Default\n")
    (run / "meta.yaml").write_text(
        "artifact_uri: file:///home/mallory/x\nend_time: 2000\nentry_point_name: ''\nexperiment_id: '0'\n"
        "lifecycle_stage: active\nrun_id: %s\nrun_name: theirs\nrun_uuid: %s\nsource_name: ''\nsource_type: 4\n"
        "source_version: ''\nstart_time: 1000\nstatus: 3\ntags: []\nuser_id: mallory\n" % ("a" * 32, "a" * 32)
    )
    (run / "metrics" / "loss").write_text("1000 0.5 0\n1001 0.25 1\n")
    (run / "tags" / "mlflow.user").write_text("mallory")
    mini_mlflow.report("a" * 32, "out.html", runs_dir=tmp_path / "theirs")
    parts = read("out.html")
    rest, curves = parts.unpack()
    assert curves[0, "loss"][:2] == ([0.0, 1.0], [0.5, 0.25])
    assert "mallory" not in json.dumps([parts.first, rest])


def test_what_no_report_can_show_is_refused_and_leaves_no_file(store, tmp_path, monkeypatch):
    run_id = log("calm-seal", {"loss": [0.5]})
    (tmp_path / "there.html").write_text("kept")
    for path in ("out.html", "there.html"):  # whatever else is wrong
        with pytest.raises(InvalidValueError, match="needs a run"):
            mini_mlflow.report([], path)
    with pytest.raises(RunNotFoundError):
        mini_mlflow.report("nothing", "out.html")
    monkeypatch.setattr(reports.report_data, "MOST_RUNS", 0)
    with pytest.raises(InvalidValueError, match="0 runs at most"):
        mini_mlflow.report(run_id, "out.html")
    monkeypatch.undo()
    mini_mlflow.set_tracking_uri(None)
    other = log("elsewhere", {}, runs_dir=str(tmp_path / "others"))
    both = [
        *mini_mlflow.search_runs(output_format="list", runs_dir=str(store)),
        *mini_mlflow.search_runs(output_format="list", runs_dir=str(tmp_path / "others")),
    ]
    assert {each.info.run_id for each in both} == {run_id, other}
    with pytest.raises(InvalidValueError, match="one store"):
        mini_mlflow.report(both, str(tmp_path / "out.html"))
    assert not [path for path in tmp_path.iterdir() if path.name.startswith((".tmp", "out"))]


def test_a_file_that_is_there_stays_unless_told_and_a_report_appears_whole_or_not_at_all(store, tmp_path, monkeypatch):
    run_id = log("calm-seal", {"loss": [0.5]})
    (tmp_path / "out.html").write_text("mine")
    with pytest.raises(InvalidValueError, match="there already"):
        mini_mlflow.report(run_id, "out.html")
    assert (tmp_path / "out.html").read_text() == "mine"
    assert mini_mlflow.report(run_id, tmp_path / "out.html", force=True) == str(tmp_path / "out.html")
    assert "Mini MLflow" in (tmp_path / "out.html").read_text(encoding="utf-8")

    def fail(*_, **__):
        raise OSError("the disk is gone")

    monkeypatch.setattr(reports.report_data, "read_curves", fail)
    with pytest.raises(OSError, match="gone"):
        mini_mlflow.report(run_id, "new.html")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mlruns", "out.html"]


def test_a_report_is_made_with_nothing_but_the_core_installed(store, tmp_path):
    run_id = log("calm-seal", {"loss": [0.5]})
    code = (
        "import sys\n"
        "for name in ('starlette', 'uvicorn', 'anyio', 'numpy', 'pandas'): sys.modules[name] = None\n"
        "import mini_mlflow\n"
        "mini_mlflow.report(%r, 'out.html')\n" % run_id
    )
    source = os.path.dirname(os.path.dirname(mini_mlflow.__file__))
    subprocess.run(
        [sys.executable, "-c", code], cwd=str(tmp_path), check=True, env={**os.environ, "PYTHONPATH": source}
    )
    assert read("out.html").first["runs"]["rows"]["id"] == [run_id]


@pytest.mark.long
def test_fifty_runs_with_ten_noisy_metrics_are_below_1_mb(store):
    random = Random(7)
    noise = [random.gauss(0, 0.05) for _ in range(10007)]
    ids = []
    for number in range(50):
        run_id = log("run-%d" % number, {"metric.%d" % key: [0.0] for key in range(10)}, params={"lr": random.random()})
        for key in range(10):
            at = random.randrange(10007)
            rows = [
                [step, NOW_MS + step, math.exp(-step / 500) + noise[(at + step * 7) % 10007]] for step in range(1000)
            ]
            write_history(store / "0" / run_id / "metrics" / ("metric.%d.json" % key), key, rows)
        ids.append(run_id)
    mini_mlflow.report(ids, "out.html")
    size = os.path.getsize("out.html")
    print("50 runs, 10 metrics, 1,000 noisy values each: %d bytes" % size)
    rest, curves = read("out.html").unpack()
    assert size <= 1000000
    assert len(curves) == 500
    assert min(len(curve[0]) for curve in curves.values()) >= 120
    assert all(each["rows"] == 1000 for each in rest["curves"])


def write_history(path, key, rows):
    """Write a metric's file as a run that has ended leaves it."""
    lines = ",\n".join(json.dumps(row) for row in rows)
    about = {"step": rows[-1][0], "timestamp": rows[-1][1], "value": rows[-1][2]}
    text = '{"key": "metric.%d", "history": [\n%s\n], %s\n' % (key, lines, json.dumps(about)[1:])
    path.write_text(text)


def test_the_licences_of_the_libraries_go_along(store):
    mini_mlflow.report(log("calm-seal", {}), "out.html")
    told = read("out.html").data["licences"]
    for word in ("Leon Sorokin", "Jason Miller", "Apache License"):
        assert word in told
    assert re.search("uPlot", read("out.html").scripts[0])
