"""Tests of the page's server, which need packages beyond the core's: ``python3 dev.py page``.

There every package is installed, and one that is missing fails its tests. Elsewhere nothing here is collected.
"""

import os

if not os.environ.get("MINI_MLFLOW_TEST_PAGE"):
    collect_ignore_glob = ["*"]
else:
    from page_server import *  # noqa: F403 - fixtures
