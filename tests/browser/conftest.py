"""Tests of the page in a browser, Debian's chromium, against the real server: ``python3 dev.py page``.

There every package is installed, and a missing browser fails the tests. Elsewhere nothing here is collected.
"""

import os
import sys

if not os.environ.get("MINI_MLFLOW_TEST_PAGE"):
    collect_ignore_glob = ["*"]
else:
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "ui"))
    from browsing import *  # noqa: F403 - fixtures
