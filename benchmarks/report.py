"""What does docs/benchmarks.md say? The results as tables and plots."""

import os

import comparison
import finding
import growth
import inside
import looking
import targets
from parts import changed_runs
from peers import PEERS
from words import in_order, number, size, table, times

COMMAND = "python3 benchmarks/run.py"
_HOW = """\
`%s` (this run: %s) makes an environment for each tracker, measures, and writes this page, its
plots and the numbers behind them, in `benchmarks/results/`. `--quick` does little of everything, `--only ours,wandb`
and `--only-part growth` less; `--scratch FOLDER` puts the stores on the disk in question.

Each tracker is used as its own first pages show, by the fastest documented way, offline, with telemetry and its
sampling of the machine off; the scripts are in `benchmarks/adapters/`. Repetitions alternate between the trackers, so
that a slow minute of the machine hits all of them. No time is asserted anywhere.
"""


def write(results, out):
    """Write the report and its plots under *out*, and return the report's path."""
    images = os.path.join(out, "docs", "images")
    os.makedirs(images, exist_ok=True)
    plots = _Plots(images)
    sections = [_head(results)]
    if results.get("peers"):
        sections.append(comparison.render(results["peers"], plots, results["sizes"]["script_steps"]))
    if results.get("growth"):
        sections.append(growth.render(results["growth"], plots))
    if results.get("searching"):
        sections.append(finding.render(results["searching"], changed_runs(results["sizes"]["searched"])))
    if results.get("page"):
        sections.append(looking.render(results["page"], results["sizes"]["idle_s"]))
    if results.get("ours"):
        sections.append(inside.render(results["ours"], plots))
    if results.get("slow-disk"):
        sections.append(inside.render_slow_disk(results["slow-disk"]))
    sections.append(_how(results))
    path = os.path.join(out, "docs", "benchmarks.md")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(sections))
    return path


class _Plots:
    """Writes plots and returns the Markdown that shows them."""

    def __init__(self, folder):
        self._folder = folder

    def show(self, name, words, content):
        with open(os.path.join(self._folder, "benchmark-%s.svg" % name), "w", encoding="utf-8") as file:
            file.write(content)
        return "![%s](images/benchmark-%s.svg)\n" % (words, name)


def _head(results):
    runs = results.get("runs") or [results]
    words = "one run" if len(runs) == 1 else "%d runs, each with parts of its own," % len(runs)
    lines = [
        "# Benchmarks\n",
        "Whole scripts as a user writes them, each in a fresh process, each tracker in an environment of its own, all",
        "measured in %s of `%s`, which wrote this page. Times are medians, with the least" % (words, COMMAND),
        "and the most in brackets where it was measured repeatedly.\n",
        *[_machine(run, names_parts=len(runs) > 1) for run in runs],
        _noise(results),
    ]
    if results["is_quick"]:
        lines.append("\n**This was a quick run: it shows that everything works. Its numbers mean little.**")
    rows = targets.rows(results)
    if rows:
        lines += [
            "\n## What we hold ourselves to\n",
            table(["target", "measured", "reached"], rows).replace("---: | ---: |", "--- | --- |"),
        ]
    return "\n".join(lines)


def _machine(run, *, names_parts):
    machine = run["machine"]
    parts = " (%s)" % ", ".join(run["parts"]) if names_parts else ""
    text = "Measured on %s%s: %s, %s, %d cores, %s of memory, file system %s, Python %s." % (
        run["date"], parts, machine["processor"], machine["system"], machine["cores"], size(machine["memory_bytes"]),
        machine["file_system"] or "unknown", machine["python"],
    )  # fmt: skip
    load = [each for each in run["load"] if each is not None]
    text += " Load of the machine before and after: %s." % " and ".join("%.1f" % each for each in load) if load else ""
    return text + "\n" * names_parts


def _noise(results):
    """Say how steady the machine was: the same bare loop ran in every process that timed the verbs."""
    found = [peer["verbs"]["bare_us"] for peer in results.get("peers", {}).values() if peer["verbs"].get("bare_us")]
    text = ""
    if found:
        least, most = min(each["min"] for each in found), max(each["max"] for each in found)
        text = (
            "The same bare loop, run in every process beside what was measured, took from %s to %s µs a turn: no"
            " difference between two rows that is smaller than that spread (%s) means anything."
            % (number(least), number(most), times(most / least))
        )
    return text


def _how(results):
    seconds = results["duration_s"]
    duration = "%.0f min" % (seconds / 60) if seconds > 90 else "%d s" % seconds
    rows = []
    for name, versions in in_order(results["versions"]):
        if name != "ours-no-fsync":
            packages = ", ".join("%s %s" % item for item in sorted(versions.items()))
            rows.append([PEERS[name].title, packages, "`%s`" % PEERS[name].adapter])
    lines = [
        "\n## How it is measured\n",
        _HOW % (COMMAND, duration),
        table(["tracker", "packages", "adapter"], rows).replace("---: | ---: |", "--- | --- |"),
    ]
    for name, why in results["missing"].items():
        lines.append("- Not installed: %s: %s" % (PEERS[name].title, why))
    for what, why in sorted(results["failures"].items()):
        lines.append("- Could not be measured: %s: %s" % (what, why))
    return "\n".join(lines).rstrip() + "\n"
