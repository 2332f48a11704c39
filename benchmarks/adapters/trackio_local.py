"""Trackio, logging to its local SQLite files."""

import glob
import os
import sqlite3

import trackio
from adapters.verbs import Verbs


def run(folder, body):
    """Start a run in *folder* (TRACKIO_DIR), let *body* log, end the run."""
    trackio.init(project="bench", embed=False, auto_log_gpu=False, auto_log_cpu=False)
    body(Verbs(_log_value, trackio.log, None, None))
    trackio.finish()


def _log_value(key, value, step):
    trackio.log({key: value}, step)


def read(folder, key):
    """Return how many values of *key* the newest run in *folder* holds."""
    rows = 0
    for path in glob.glob(os.path.join(folder, "**", "*.db"), recursive=True):
        connection = sqlite3.connect(path)
        try:
            rows += connection.execute(
                "SELECT count(*) FROM metrics WHERE CAST(metrics AS TEXT) LIKE ? AND run_name = "
                "(SELECT run_name FROM metrics ORDER BY id DESC LIMIT 1)",
                ('%"' + key + '"%',),
            ).fetchone()[0]
        except sqlite3.OperationalError:
            pass  # a table that was never made
        finally:
            connection.close()
    return rows
