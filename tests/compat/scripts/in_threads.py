"""Each thread has an active run of its own."""

import threading

from observing import mlflow, note

mlflow.set_experiment("threads")
seen = {}


def work(number):
    seen["before %d" % number] = mlflow.active_run() is None
    with mlflow.start_run(run_name="thread %d" % number) as run:
        for step in range(5):
            mlflow.log_metric("m", number * 10 + step, step=step)
        mlflow.log_param("number", number)
        seen["mine %d" % number] = mlflow.active_run().info.run_id == run.info.run_id
        mlflow.log_metric("shared", number, step=number, run_id=main.info.run_id)


with mlflow.start_run(run_name="main") as main:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    mlflow.log_metric("m", 99)
note("seen", seen)
