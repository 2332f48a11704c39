"""Stores that are the same every time: the clock, the ids, the values."""

import math
import os
import random
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

import mini_mlflow
from mini_mlflow import clock, layout
from mini_mlflow.store import documents, meta

NOW_MS = 1795425600000  # 2026-11-23 09:20:00 UTC: the clock of every command under test
_RUN_LIFE_S = 300.0


class StoreBuilder:
    """Makes a store with the library itself, then sets its clock back to what the test says."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self.live: List[Any] = []

    def experiment(self, name: str) -> int:
        """Create an experiment and return its id; what we let nobody call one, somebody else has written."""
        legal = name if name.isprintable() else "odd-%d" % len(name)
        experiment_id = mini_mlflow.create_experiment(legal, runs_dir=self.path)
        _edit_meta(self.path / str(experiment_id) / "meta.yaml", name=name, creation_time=NOW_MS - 30 * 86400000)
        return experiment_id

    def run(
        self,
        name: str,
        experiment: Any = 0,
        *,
        params: Optional[Mapping[str, Any]] = None,
        metrics: Optional[Mapping[str, Sequence[float]]] = None,
        status: str = "FINISHED",
        ago_s: float = 3600.0,
        took_s: float = 275.0,
        tags: Optional[Mapping[str, Any]] = None,
        note: Optional[str] = None,
        run_id: Optional[str] = None,
        fields: Optional[Mapping[str, Any]] = None,
        files: Optional[Mapping[str, str]] = None,
    ) -> str:
        """Make a run and return its id.

        Args:
            name: Its name.
            experiment: Id or name of an experiment that is there.
            params: Its params.
            metrics: By key the values at steps 0, 1 and so on.
            status: RUNNING keeps it open as long as the test lasts, LOST leaves it as its process died.
            ago_s: When it started, before ``NOW_MS``.
            took_s: How long it ran.
            tags: Its tags.
            note: Its note.
            run_id: Its id; None: made of a running number.
            fields: Further fields of its meta.yaml: ``command``, ``git_commit`` and so on.
            files: Texts of artifacts by path.
        """
        self.count += 1
        run_id = run_id or "%032x" % random.Random(self.count).getrandbits(128)
        start_ms = NOW_MS - int(ago_s * 1000)
        run = mini_mlflow.Run(name="made", experiment_id=experiment, run_id=run_id, runs_dir=self.path)
        # What the writer takes, which is more than the functions let through: MLflow's slashes, any character.
        for key, value in {**({} if note is None else {"mlflow.note.content": note}), **(tags or {})}.items():
            run.writer.write_value(layout.TAGS, key, value)
        for key, value in (params or {}).items():
            run.writer.write_value(layout.PARAMS, key, value)
        metrics = metrics or {}
        steps = max(map(len, metrics.values()), default=0)
        for key, values in sorted(metrics.items()):
            for step, value in enumerate(values):
                timestamp = start_ms + int(took_s * 1000 * (step + 1) / steps)
                run.writer.write_row(key, documents.encode_number(value), step, timestamp, timestamp)
        for path, text in (files or {}).items():
            run.log_text(text, path)
        changed: Dict[str, Any] = dict({"name": name}, **fields or {}, start_time=clock.encode_time(start_ms * 1000))
        if status in ("RUNNING", "LOST"):
            mini_mlflow.active.forget(run)  # else it is let go at the end of the test, of a store that many share
            if status == "LOST":
                run.writer.release()
            else:
                self.live.append(run)
        else:
            run.end(status)
            changed["end_time"] = clock.encode_time((start_ms + int(took_s * 1000)) * 1000)
        folder = self.path / str(run.experiment_id) / run_id
        _edit_meta(folder / "meta.yaml", **changed)
        return run_id

    def close(self) -> None:
        """End what goes on."""
        for run in self.live:
            run.writer.release()
        self.live = []


def fill_sweep(store: StoreBuilder) -> List[str]:
    """Fill a store with a sweep of 24 runs, some still going on, as docs/cli.md shows; return the ids, newest first."""
    names = [
        "warm-hare",
        "vivid-marten",
        "shy-swift",
        "calm-seal",
        "royal-newt",
        "quick-tern",
        "proud-owl",
        "brisk-otter",
        "mellow-wren",
        "lucid-lynx",
        "keen-ibis",
        "brisk-bison",
        "bold-crane",
        "sunny-elk",
        "fleet-fox",
        "gentle-koala",
        "dapper-mole",
        "noble-orca",
        "eager-puffin",
        "lively-quail",
        "rapid-raven",
        "snug-stoat",
        "tidy-teal",
        "witty-vole",
    ]
    special = {0: "RUNNING", 1: "RUNNING", 4: "LOST", 9: "FAILED", 12: "FAILED", 15: "KILLED"}
    experiment = store.experiment("cifar10-sweep")
    made = []
    for place in reversed(range(24)):  # the oldest first
        cell, seed = divmod(23 - place, 3)
        lr, aug = (0.01, 0.03, 0.1, 0.003)[cell // 2], ("none", "mixup")[cell % 2]
        status = special.get(place, "FINISHED")
        steps = {"RUNNING": 37 + 23 * place, "LOST": 62, "FAILED": 31, "KILLED": 44}.get(status, 90)
        made.append(
            store.run(
                names[place],
                experiment,
                params={
                    "lr": lr,
                    "aug": aug,
                    "seed": seed + 1,
                    "batch_size": 128,
                    "epochs": 90,
                    "model": "resnet18",
                    "optimizer": "adamw",
                    "weight_decay": 0.0005,
                },
                metrics=curves(lr, aug, seed, steps, is_broken=status == "FAILED" and place == 9),
                status=status,
                ago_s=120 + place * 430 + place * place * 11,
                took_s=steps * 3.05 + seed,
                note="first run with the fixed augmentation" if place == 6 else None,
                fields={
                    "command": ["python", "train.py", "--lr", str(lr), "--aug", aug, "--seed", str(seed + 1)],
                    "python": "cpython 3.11.7",
                    "host": "gpu-07",
                    "user": "mia",
                    "git_commit": "3f9c2e1b7d0a4c6e8f1a2b3c4d5e6f708192a3b4"
                    if aug == "mixup"
                    else "8d01b77" + "0" * 33,
                    "git_branch": "main",
                    "git_dirty": place == 6,
                    "packages": {"torch": "2.5.1", "numpy": "2.1.3"},
                },
                files={"checkpoints/best.txt": "x" * 4500, "config.yaml": "lr: 0.01\n"} if place == 6 else None,
            )
        )
    return made[::-1]


def fill_other_experiments(store: StoreBuilder) -> None:
    """Add two more experiments: one with a long name, one with other metrics."""
    images = store.experiment("imagenet-resnet50-from-scratch")
    for number in range(6):
        store.run(
            "scratch-%d" % number,
            images,
            params={"lr": 0.1 * (number + 1)},
            metrics={"val.top1": [0.2, 0.5, 0.71 + number * 0.01]},
            status="RUNNING" if number == 0 else "FINISHED",
            ago_s=7200 + number * 86400,
            took_s=40000,
        )
    tokens = store.experiment("tokenizer-ablation")
    for number in range(3):
        store.run(
            "vocab-%d" % (8000 << number),
            tokens,
            params={"vocab": 8000 << number},
            metrics={"val.bpb": [3.2, 2.1, 1.9 - number / 100]},
            status=("FINISHED", "FAILED", "KILLED")[number],
            ago_s=12 * 86400 + number * 3600,
            took_s=9000,
        )


def curves(lr: float, aug: str, seed: int, steps: int, *, is_broken: bool = False) -> Dict[str, List[float]]:
    """Return made-up training curves; a broken one ends in NaN."""
    noise = random.Random("%s %s %s" % (lr, aug, seed))
    best = {0.01: 0.938, 0.03: 0.921, 0.1: 0.893, 0.003: 0.913}[lr] - (0.008 if aug == "none" else 0.0)
    accuracy, val, train = [], [], []
    for step in range(steps):
        grown = 1 - math.exp(-(step + 1) / 14.0)
        accuracy.append(round(0.1 + (best - 0.1) * grown + noise.gauss(0, 0.0025), 6))
        val.append(round(2.4 * (1 - grown) + 0.32 + 0.03 * (aug == "none") + noise.gauss(0, 0.004), 6))
        train.append(round(2.5 * (1 - grown) + (0.21 if aug == "mixup" else 0.03) + noise.gauss(0, 0.003), 6))
    if is_broken:
        val[27:] = [float("nan")] * (steps - 27)
        train[27:] = [float("nan")] * (steps - 27)
    return {"val.acc": accuracy, "val.loss": val, "train.loss": train}


def _edit_meta(path: Path, **fields: Any) -> None:
    """Set fields of a meta.yaml, as if it had been written then."""
    known = meta.read_meta(str(path))
    known.update(fields)
    text = meta.encode(known)
    state = os.stat(path)
    with open(path, "wb") as file:
        file.write(text)
    os.utime(path, (state.st_atime, state.st_mtime))
