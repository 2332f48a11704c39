"""Tests beside real packages that are too heavy for the plain test environment: ``python3 dev.py libraries``.

There every package is installed, and one that is missing fails its tests. Elsewhere nothing here is collected.
"""

import os

if not os.environ.get("MINI_MLFLOW_TEST_LIBRARIES"):
    collect_ignore_glob = ["*"]
