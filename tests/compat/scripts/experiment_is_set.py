"""Which experiment runs go to: that of the argument, else the one that is set."""

from observing import mlflow, note, trial


def name_of(run):
    return mlflow.get_experiment(run.info.experiment_id).name


with mlflow.start_run() as run:
    note("nothing set", name_of(run))
chosen = mlflow.set_experiment("chosen")
note("returned", [type(chosen).__name__, chosen.name, chosen.lifecycle_stage])
with mlflow.start_run() as run:
    note("set by name", name_of(run))
other = mlflow.create_experiment("other")
with mlflow.start_run() as run:
    note("creating sets nothing", name_of(run))
with mlflow.start_run(experiment_id=other) as run:
    note("by argument", name_of(run))
with mlflow.start_run(experiment_id=0) as run:
    note("a number", name_of(run))
mlflow.set_experiment(experiment_id=other)
with mlflow.start_run() as run:
    note("set by id", name_of(run))
trial("unknown id", mlflow.set_experiment, experiment_id="987654321")
trial("both", mlflow.set_experiment, "chosen", other)
trial("neither", mlflow.set_experiment)
with mlflow.start_run(experiment_id=chosen.experiment_id), mlflow.start_run(nested=True) as child:
    note("a child follows what is set", name_of(child))
trial("start in an unknown one", mlflow.start_run, experiment_id="987654321")
