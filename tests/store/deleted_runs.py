"""Which runs do the tests of the trash delete, and what lies in a folder?"""

import os

from forged_owners import FOREIGN_BOOT, forge, left_by_the_dead

from mini_mlflow import Run


def ended_run(store, run_id="r", experiment_id=0, value=0.5):
    run = Run(run_id=run_id, experiment_id=experiment_id, runs_dir=store)
    run.log_metric("loss", value)
    run.log_param("lr", 1)
    run.end()
    return os.path.join(store, str(experiment_id), run_id)


def files_below(folder):
    found = {}
    for path, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(path, name), "rb") as file:
                found[os.path.relpath(os.path.join(path, name), folder)] = file.read()
    return found


def written_elsewhere(share):
    if not os.path.exists(share):
        os.makedirs(share)
        left_by_the_dead(share)
    forge(share, boot_id=FOREIGN_BOOT)
    return share
