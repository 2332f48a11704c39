"""The command line ``mini-mlflow``: one file per command, imported only when that command runs."""
