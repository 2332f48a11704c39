"""Aim, logging to a local repository."""

import os

from adapters.verbs import Verbs
from aim import Repo, Run


def run(folder, body):
    """Start a run in *folder*, let *body* log, end the run."""
    run_ = Run(repo=folder, experiment="bench", system_tracking_interval=None, log_system_params=False)

    def log_value(key, value, step):
        track(value, name=key, step=step)

    def log_step(metrics, step):
        track(metrics, step=step)

    def set_tag(key, value):
        run_.add_tag("%s=%s" % (key, value))

    track = run_.track
    body(Verbs(log_value, log_step, run_.__setitem__, set_tag))
    run_.close()


def read(folder, key):
    """Return how many values of *key* the newest run in *folder* holds."""
    hashes = os.listdir(os.path.join(folder, ".aim", "meta", "chunks"))
    newest = max(hashes, key=lambda name: os.path.getmtime(os.path.join(folder, ".aim", "meta", "chunks", name)))
    for metric in Repo(folder).get_run(newest).metrics():
        if metric.name == key:
            return len(metric.values.values_list())
    return 0
