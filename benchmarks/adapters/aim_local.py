"""Aim, logging to a local repository."""

import os

from adapters.verbs import Verbs
from aim import Run


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
    """Return how many values of *key* the newest run in *folder* holds, from the keys of its RocksDB."""
    from aim.storage.rockscontainer import RocksContainer

    chunks = os.path.join(folder, ".aim", "seqs", "chunks")
    newest = max((os.path.join(chunks, name) for name in os.listdir(chunks)), key=os.path.getmtime)
    wanted = b"\xfe" + key.encode() + b"\xfeval\xfe\xfe"
    return sum(wanted in name for name, _ in RocksContainer(newest, read_only=True).items(b""))
