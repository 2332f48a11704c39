"""Which names are legal: slashes and blanks are, some signs are not."""

from observing import mlflow, note, trial

GOOD = ("train/loss", "a/b/c", "val loss", "a.b", "a-b", "_x", "größe", "日本", "system/cpu", "x" * 250, "A", "1", ".x")
BAD = (
    "",
    " /",
    "/a",
    "a/",
    "a//b",
    "..",
    ".",
    "a/../b",
    "./a",
    "a\\b",
    "a=b",
    "a%b",
    "a?b",
    "a*b",
    "a\tb",
    "a[0]",
    "a@5",
)
with mlflow.start_run() as run:
    for number, key in enumerate(GOOD):
        for what, call in (("param", mlflow.log_param), ("metric", mlflow.log_metric), ("tag", mlflow.set_tag)):
            trial("%s %s" % (what, key[:20]), call, key, number)
    for key in (*BAD, "y" * 251, None, 5):
        for what, call in (("param", mlflow.log_param), ("metric", mlflow.log_metric), ("tag", mlflow.set_tag)):
            trial("bad %s %s" % (what, str(key)[:20]), call, key, 1)
read = mlflow.get_run(run.info.run_id)
note("params", sorted(read.data.params))
note("metrics", sorted(read.data.metrics))
