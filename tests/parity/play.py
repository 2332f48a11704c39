"""Play every scenario, each in a folder of its own below the current one, and print what was seen as JSON."""

import json
import os
import sys

import alike  # noqa: F401 - registers its scenarios
import different  # noqa: F401
from scenario import SCENARIOS, call

from mini_mlflow.tracker import _set_active_run

start = os.getcwd()
results = {}
for name, play in sorted(SCENARIOS.items()):
    os.mkdir(os.path.join(start, name))
    os.chdir(os.path.join(start, name))
    results[name] = call(play)
    _set_active_run(None)
os.chdir(start)
json.dump(results, sys.stdout, default=repr)
