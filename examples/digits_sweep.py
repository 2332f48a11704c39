"""Train a small network on handwritten digits, once per learning rate and seed, and compare the runs.

A real sweep in miniature: scikit-learn's bundled digits, a split into training and validation data, one value of each
metric per epoch. The table at the end is read back from the files, not from what the loop remembers.

Run it with ``python3 dev.py demo``, or where scikit-learn is installed with ``python examples/digits_sweep.py``.
"""

import argparse
import os
import statistics
import sys
import time
from datetime import datetime
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from mini_mlflow import ExperimentTracker, Run

LEARNING_RATES = (0.0003, 0.003, 0.03)
SEEDS = (0, 1, 2)
EPOCHS = 25
HIDDEN_UNITS = 32
BATCH_SIZE = 64
DIGITS = list(range(10))


class Digits(NamedTuple):
    """The images as rows of 64 numbers, in two parts: the model never trains on the second."""

    train_x: Any
    train_y: Any
    val_x: Any
    val_y: Any


class Row(NamedTuple):
    """What the table shows of one run."""

    run_id: str
    name: str
    status: str
    learning_rate: float
    seed: int
    best_accuracy: float
    best_epoch: int
    final_loss: float
    duration_s: float


class Screen(NamedTuple):
    """What the terminal can show."""

    is_unicode: bool
    is_colored: bool


# Training --------------------------------------------------------------------------------------------------------


def load_data() -> Digits:
    """Load the digits, a quarter of them for validation; the same split for every run."""
    images, labels = load_digits(return_X_y=True)
    train_x, val_x, train_y, val_y = train_test_split(images, labels, test_size=0.25, stratify=labels, random_state=0)
    scaler = StandardScaler().fit(train_x)
    return Digits(scaler.transform(train_x), train_y, scaler.transform(val_x), val_y)


def train(run: Run, data: Digits, learning_rate: float, seed: int) -> None:
    """Train one network and log each epoch to *run*."""
    run.log_params({
        "learning_rate": learning_rate,
        "seed": seed,
        "epochs": EPOCHS,
        "hidden_units": HIDDEN_UNITS,
        "batch_size": BATCH_SIZE,
    })
    run.set_tags({"data": "digits", "model": "MLPClassifier"})
    model = MLPClassifier((HIDDEN_UNITS,), learning_rate_init=learning_rate, batch_size=BATCH_SIZE, random_state=seed)
    for epoch in range(EPOCHS):
        model.partial_fit(data.train_x, data.train_y, classes=DIGITS)
        run.log_metrics(
            {
                "train_loss": log_loss(data.train_y, model.predict_proba(data.train_x), labels=DIGITS),
                "val_loss": log_loss(data.val_y, model.predict_proba(data.val_x), labels=DIGITS),
                "val_accuracy": model.score(data.val_x, data.val_y),
            },
            step=epoch,
        )


def sweep(runs_dir: str, *, shows_progress: bool) -> List[str]:
    """Train every combination, one run each, and return the ids of the runs."""
    data = load_data()
    run_ids = []
    combinations = [(learning_rate, seed) for learning_rate in LEARNING_RATES for seed in SEEDS]
    for number, (learning_rate, seed) in enumerate(combinations, start=1):
        if shows_progress:
            print(f"\r  run {number} of {len(combinations)}", end="", flush=True)
        tracker = ExperimentTracker(run_name=f"digits-{learning_rate}-{seed}", runs_dir=runs_dir)
        with tracker as run:
            train(run, data, learning_rate, seed)
        run_ids.append(run.run_id)
    if shows_progress:
        print("\r" + " " * 20 + "\r", end="")
    return run_ids


# Reading back ----------------------------------------------------------------------------------------------------


def read_rows(runs_dir: str, run_ids: Sequence[str]) -> List[Row]:
    """Read the runs from the files of the store, oldest first."""
    tracker = ExperimentTracker(runs_dir=runs_dir)
    rows = []
    for run_id in reversed(tracker.list_runs()):
        if run_id not in run_ids:
            continue
        run = tracker.get_run(run_id)
        best = max(tracker.history(run_id, "val_accuracy"), key=lambda point: point.value)
        rows.append(
            Row(
                run_id=run_id,
                name=run["metadata"]["name"],
                status=run["metadata"]["status"],
                learning_rate=run["params"]["learning_rate"],
                seed=run["params"]["seed"],
                best_accuracy=best.value,
                best_epoch=best.step,
                final_loss=run["metrics"]["val_loss"],
                duration_s=seconds_between(run["metadata"]["start_time"], run["metadata"]["end_time"]),
            )
        )
    return rows


def seconds_between(start: str, end: str) -> float:
    """Return the time between two ISO 8601 texts."""
    first, last = (datetime.fromisoformat(text.replace("Z", "+00:00")) for text in (start, end))
    return (last - first).total_seconds()


def by_learning_rate(rows: Sequence[Row]) -> Dict[float, List[Row]]:
    """Put the runs that differ only in their seed together."""
    groups: Dict[float, List[Row]] = {}
    for row in rows:
        groups.setdefault(row.learning_rate, []).append(row)
    return groups


# Showing ---------------------------------------------------------------------------------------------------------


def look_at_screen() -> Screen:
    """Find out what standard output can show; NO_COLOR and a plain terminal are respected."""
    encoding = (sys.stdout.encoding or "ascii").lower().replace("-", "").replace("_", "")
    is_plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    if os.name == "nt":  # the old console shows escape sequences as text
        is_plain = is_plain or not (os.environ.get("WT_SESSION") or os.environ.get("TERM"))
    return Screen(is_unicode=encoding == "utf8", is_colored=sys.stdout.isatty() and not is_plain)


def render_runs(rows: Sequence[Row], screen: Screen) -> List[str]:
    """Lay the runs out as a table, with the best one marked."""
    if screen.is_unicode:
        marks = {"RUNNING": "●", "FINISHED": "✓", "FAILED": "✗", "KILLED": "■", "LOST": "?"}
    else:
        marks = {"RUNNING": ">", "FINISHED": ".", "FAILED": "x", "KILLED": "#", "LOST": "?"}
    best = max(rows, key=lambda row: (row.best_accuracy, -row.final_loss))
    cells = [("#", "", "name", "learning_rate", "seed", "val_accuracy", "epoch", "val_loss", "took")]
    for number, row in enumerate(rows, start=1):
        cells.append((
            str(number),
            marks[row.status],
            row.name,
            str(row.learning_rate),
            str(row.seed),
            "{:.4f} {}".format(row.best_accuracy, "*" if row is best else " "),
            str(row.best_epoch),
            f"{row.final_loss:.4f}",
            f"{row.duration_s:.1f}s",
        ))
    lines = render_table(cells, left=(1, 2))
    if screen.is_colored:
        place = 1 + rows.index(best)
        lines[place] = f"\033[1;32m{lines[place]}\033[0m"
    return lines


def render_groups(rows: Sequence[Row], screen: Screen) -> List[str]:
    """Lay out mean and sample standard deviation over the seeds of each learning rate."""
    plus_minus = "±" if screen.is_unicode else "+-"
    cells = [("learning_rate", "runs", "val_accuracy", "val_loss")]
    for learning_rate, group in by_learning_rate(rows).items():
        figures = ([row.best_accuracy for row in group], [row.final_loss for row in group])
        accuracy, loss = (
            f"{statistics.mean(values):.4f} {plus_minus} {statistics.stdev(values):.4f}" for values in figures
        )
        cells.append((str(learning_rate), str(len(group)), accuracy, loss))
    return render_table(cells, left=())


def render_table(cells: Sequence[Tuple[str, ...]], left: Sequence[int]) -> List[str]:
    """Pad the cells to columns, to the right but for the columns *left*."""
    widths = [max(map(len, column)) for column in zip(*cells)]
    return [
        "  ".join(
            cell.ljust(width) if place in left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths))
        ).rstrip()
        for line in cells
    ]


def show(runs_dir: str, run_ids: Sequence[str], seconds: float) -> None:
    """Print the tables, and where the files lie."""
    screen = look_at_screen()
    rows = read_rows(runs_dir, run_ids)
    best = max(rows, key=lambda row: (row.best_accuracy, -row.final_loss))
    folder = os.path.join(nearest_path(runs_dir), "0", best.run_id)
    print(f"{len(rows)} runs in {seconds:.1f} s, read back from the files:\n")
    print("\n".join(render_runs(rows, screen)))
    print("\n* best run. val_accuracy is that of the best epoch, val_loss that of the last.")
    print("Mean {} standard deviation over the seeds:\n".format("±" if screen.is_unicode else "+-"))
    print("\n".join(render_groups(rows, screen)))
    print("\nThe best run is a folder of small text files:")
    print("  " + folder)
    print("Look at one of them:")
    print("  {} {}".format("type" if os.name == "nt" else "cat", os.path.join(folder, "params", "seed.json")))


def nearest_path(path: str) -> str:
    """Write *path* from the current folder where it lies below it."""
    here = os.path.join(os.getcwd(), "")
    return path[len(here) :] if path.startswith(here) else path


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train a small network on digits, nine times, and compare the runs.")
    parser.add_argument("--runs-dir", default=os.environ.get("MINI_MLFLOW_DIR", "mlruns"), help="where the runs go")
    store = os.path.abspath(parser.parse_args().runs_dir)
    print(f"Training {len(LEARNING_RATES) * len(SEEDS)} small networks on 1,797 images of digits ...", flush=True)
    began = time.monotonic()
    show(store, sweep(store, shows_progress=sys.stdout.isatty()), time.monotonic() - began)
