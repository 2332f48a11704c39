"""What does ``python -m mini_mlflow`` do? The command line."""

import sys

from .cli.main import main

if __name__ == "__main__":
    sys.exit(main())
