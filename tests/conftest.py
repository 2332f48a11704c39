"""What every test goes by."""

import os

# A run notes where it comes from unless told otherwise: git and all. The tests of that switch it on.
os.environ.setdefault("MINI_MLFLOW_PROVENANCE", "off")
