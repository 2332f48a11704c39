"""Weights & Biases in offline mode (WANDB_MODE=offline)."""

import glob
import os
import struct

import wandb
from adapters.verbs import Verbs


def run(folder, body):
    """Start a run in *folder*, let *body* log, end the run."""
    run_ = wandb.init(project="bench", dir=folder, mode="offline")

    # As in its first examples: a row is complete when the call returns. With step= it waits for the next one.
    def log_value(key, value, step):
        log({key: value})

    def log_step(metrics, step):
        log(metrics)

    def log_param(key, value):
        config[key] = value

    def set_tag(key, value):
        run_.tags += ("%s=%s" % (key, value),)

    log, config = run_.log, run_.config
    body(Verbs(log_value, log_step, log_param, set_tag))
    run_.finish()


def read(folder, key):
    """Return how many values of *key* the newest run in *folder* holds."""
    from wandb.proto import wandb_internal_pb2

    newest = max(glob.glob(os.path.join(folder, "wandb", "offline-run-*", "*.wandb")), key=os.path.getmtime)
    with open(newest, "rb") as file:
        data = file.read()
    count = 0
    for text in _records(data):
        record = wandb_internal_pb2.Record.FromString(text)
        if record.WhichOneof("record_type") == "history":
            count += any(key in (item.key, *item.nested_key) for item in record.history.item)
    return count


def _records(data):
    """Yield the records of a .wandb file: LevelDB's log format, behind seven bytes that name it."""
    at, parts = 7, []
    while at + 7 <= len(data):
        if 32768 - at % 32768 < 7:  # the rest of a block, too small for a header
            at += 32768 - at % 32768
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        if kind == 0 or at + 7 + length > len(data):
            return
        parts.append(data[at + 7 : at + 7 + length])
        at += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield b"".join(parts)
            parts = []
