"""What goes wrong in the background shows when it is waited for."""

from observing import mlflow, note, trial

with mlflow.start_run():
    mlflow.log_param("lr", 0.1)
    operation = mlflow.log_param("lr", 0.2, synchronous=False)
    note("returned", type(operation).__name__)
    trial("waited", operation.wait, says=("lr",))
