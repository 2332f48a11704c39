"""Fronts for scripts that were written for other trackers: ``from mini_mlflow.compat import mlflow``."""
