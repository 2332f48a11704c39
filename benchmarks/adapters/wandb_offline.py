"""Weights & Biases in offline mode (WANDB_MODE=offline)."""

import glob
import os

import wandb
from adapters.verbs import Verbs


def run(folder, body):
    """Start a run in *folder*, let *body* log, end the run."""
    run_ = wandb.init(project="bench", dir=folder, mode="offline")

    def log_value(key, value, step):
        log({key: value}, step)

    def log_param(key, value):
        config[key] = value

    def set_tag(key, value):
        run_.tags += ("%s=%s" % (key, value),)

    log, config = run_.log, run_.config
    body(Verbs(log_value, log, log_param, set_tag))
    run_.finish()


def read(folder, key):
    """Return how many values of *key* the newest run in *folder* holds."""
    from wandb.proto import wandb_internal_pb2
    from wandb.sdk.lib import filesystem  # noqa: F401 - loads what datastore needs
    from wandb.sdk.internal.datastore import DataStore

    newest = max(glob.glob(os.path.join(folder, "wandb", "offline-run-*", "*.wandb")), key=os.path.getmtime)
    store = DataStore()
    store.open_for_scan(newest)
    count = 0
    while True:
        data = store.scan_data()
        if not data:
            return count
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        if record.WhichOneof("record_type") == "history":
            count += any(key in (item.key, *item.nested_key) for item in record.history.item)
