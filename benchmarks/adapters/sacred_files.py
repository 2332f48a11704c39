"""Sacred with its FileStorageObserver."""

import json
import os

from adapters.verbs import Verbs
from sacred import Experiment
from sacred.observers import FileStorageObserver


def run(folder, body):
    """Start a run in *folder*, let *body* log, end the run."""
    experiment = Experiment("bench", save_git_info=False)
    experiment.observers.append(FileStorageObserver(os.path.join(folder, "sacred")))

    @experiment.main
    def main(_run):
        def log_step(metrics, step):
            for key, value in metrics.items():
                log_scalar(key, value, step)

        log_scalar = _run.log_scalar
        body(Verbs(log_scalar, log_step, None, None))

    experiment.run(options={"--loglevel": "ERROR"})


def read(folder, key):
    """Return how many values of *key* the newest run in *folder* holds."""
    folder = os.path.join(folder, "sacred")
    newest = max((name for name in os.listdir(folder) if name.isdigit()), key=int)
    try:
        with open(os.path.join(folder, newest, "metrics.json"), encoding="utf-8") as file:
            return len(json.load(file)[key]["values"])
    except (FileNotFoundError, KeyError):
        return 0
