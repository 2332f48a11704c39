"""SwanLab in offline mode."""

import glob
import os

import swanlab
from adapters.verbs import Verbs


def run(folder, body):
    """Start a run in *folder*, let *body* log, end the run."""
    swanlab.init(project="bench", logdir=os.path.join(folder, "swanlog"), mode="offline")

    def log_value(key, value, step):
        log({key: value}, step=step)

    def log_step(metrics, step):
        log(metrics, step=step)

    def log_param(key, value):
        swanlab.config[key] = value

    log = swanlab.log
    body(Verbs(log_value, log_step, log_param, None))
    swanlab.finish()


def read(folder, key):
    """Return how many values of *key* the newest run in *folder* holds.

    There is no reader for its offline files: they name the key once a value, and once to declare it.
    """
    newest = max(glob.glob(os.path.join(folder, "swanlog", "run-*")), key=os.path.getmtime)
    count = 0
    for path in glob.glob(os.path.join(newest, "**", "*"), recursive=True):
        if os.path.isfile(path):
            with open(path, "rb") as file:
                count += file.read().count(key.encode())
    return max(0, count - 1)
