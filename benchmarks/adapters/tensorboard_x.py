"""TensorBoard files written by tensorboardX's SummaryWriter."""

import glob
import os
import struct

from adapters.verbs import Verbs
from tensorboardX import SummaryWriter
from tensorboardX.proto import event_pb2


def run(folder, body):
    """Start a run in *folder*, let *body* log, end the run."""
    writer = SummaryWriter(os.path.join(folder, "logs", "%06d" % len(glob.glob(os.path.join(folder, "logs", "*")))))

    def log_step(metrics, step):
        for key, value in metrics.items():
            add_scalar(key, value, step)

    def log_param(key, value):
        writer.add_text(key, str(value))

    add_scalar = writer.add_scalar
    body(Verbs(add_scalar, log_step, log_param, None))
    writer.close()


def read(folder, key):
    """Return how many values of *key* the newest run in *folder* holds."""
    count = 0
    newest = max(glob.glob(os.path.join(folder, "logs", "*")))
    for path in glob.glob(os.path.join(newest, "*")):
        with open(path, "rb") as file:
            data = file.read()
        at = 0
        while at + 12 <= len(data):  # a record: length, checksum, event, checksum
            (length,) = struct.unpack_from("<Q", data, at)
            if at + 16 + length > len(data):
                break
            event = event_pb2.Event.FromString(data[at + 12 : at + 12 + length])
            count += any(value.tag == key for value in event.summary.value)
            at += 16 + length
    return count
