"""Which values a metric may have, and how they come back."""

import decimal
import fractions

from observing import mlflow, note, trial

with mlflow.start_run() as run:
    values = {"int": 3, "true": True, "text": "0.25", "fraction": fractions.Fraction(1, 4), "big": 2**60 + 1}
    values.update(decimal=decimal.Decimal("0.5"), nan=float("nan"), tiny=5e-324, negative_zero=-0.0)
    for key, value in values.items():
        trial(key, mlflow.log_metric, key, value)
    for key, value in (("none", None), ("word", "abc"), ("list", [1]), ("dict", {}), ("complex", 1j)):
        trial(key, mlflow.log_metric, key, value)
    trial("good and bad", mlflow.log_metrics, {"good": 1, "bad": "abc"})
    trial("negative time", mlflow.log_metric, "when", 1, timestamp=-1)
read = mlflow.get_run(run.info.run_id).data.metrics
note("read", {key: value for key, value in read.items() if key != "good"})
note("types", sorted({type(value).__name__ for value in read.values()}))
