"""TensorBoard, with the writer of the tensorboard package itself: no torch, no TensorFlow."""

import glob
import os

import tensorboard.summary
from adapters.verbs import Verbs


def run(folder, body):
    """Start a run in *folder*, let *body* log, end the run."""
    writer = tensorboard.summary.Writer(_new_folder(folder))

    def log_step(metrics, step):
        for key, value in metrics.items():
            add_scalar(key, value, step)

    add_scalar = writer.add_scalar
    body(Verbs(add_scalar, log_step, None, None))
    writer.close()


def _new_folder(folder):
    return os.path.join(folder, "logs", "%06d" % len(glob.glob(os.path.join(folder, "logs", "*"))))


def read(folder, key):
    """Return how many values of *key* the newest run in *folder* holds."""
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
    from tensorboard.compat.proto import event_pb2

    newest = max(glob.glob(os.path.join(folder, "logs", "*")))
    count = 0
    for path in glob.glob(os.path.join(newest, "*")):
        for data in RawEventFileLoader(path).Load():
            event = event_pb2.Event.FromString(data)
            count += any(value.tag == key for value in event.summary.value)
    return count
