"""Where our front shows something else than MLflow; docs/mlflow-scripts.md gives the reasons under the same titles."""

MLFLOW = "MlflowException"
_INVALID = {"raised": MLFLOW, "says": [], "code": "INVALID_PARAMETER_VALUE"}


def _by(script):
    """Return the tags that tell where a run comes from."""
    return {"mlflow.source.name": script + ".py", "mlflow.source.type": "LOCAL", "mlflow.user": "<user>"}


ENDS = "Runs end with their process"
CODES = "Error codes"
CLIENT = "Runs made by a client"
LONG = "Long values"
SERIES = "Images in a series"
ADDRESS = "get_tracking_uri"
STEPS = "Steps"
FILES = "Names of files"
DICTS = "Dicts"
DELETED = "Deleted experiments"

# By script and fact: the title of the reason, and what our front shows; None: too long to be spelled out.
DIFFERENCES = {
    ("artifacts_of_a_run", "absolute"): (CODES, _INVALID),
    ("artifacts_of_a_run", "outside"): (CODES, _INVALID),
    ("artifacts_of_a_run", "outside, by path"): (CODES, _INVALID),
    ("batches", "then: batches, run 1, tags"): (CLIENT, None),
    ("by_client", "created"): (
        CLIENT,
        ["RUNNING", "made", dict(_by("by_client"), k="v", **{"mlflow.runName": "made"}), None],
    ),
    ("by_client", "then: by client, run 1, tags"): (
        CLIENT,
        dict(_by("by_client"), k="v", **{"mlflow.runName": "renamed"}),
    ),
    ("by_client", "then: by client, run 2, tags"): (
        CLIENT,
        dict(_by("by_client"), **{"mlflow.runName": "<generated>"}),
    ),
    ("by_client", "then: by client, run 2, has_ended"): (ENDS, True),
    ("by_client", "then: by client, run 2, status"): (ENDS, "FINISHED"),
    ("dies_of_an_exception", "then: Default, run 1, status"): (ENDS, "FAILED"),
    ("ended_with_no_status", "bad status"): (CODES, {"raised": MLFLOW, "says": ["GONE"], "code": "INTERNAL_ERROR"}),
    ("ended_with_no_status", "then: Default, run 1, has_ended"): (ENDS, True),
    ("ended_with_no_status", "then: Default, run 1, status"): (ENDS, "FAILED"),
    ("entities", "unknown status"): (CODES, {"raised": MLFLOW, "says": [], "code": "INTERNAL_ERROR"}),
    ("experiment_deleted_below", "log"): (DELETED, {"returned": None}),
    ("experiment_deleted_below", "stage"): (DELETED, "active"),
    ("experiment_deleted_below", "then: gone, run 1, artifacts"): (DELETED, {}),
    ("experiment_deleted_below", "then: gone, run 1, histories"): (DELETED, {"a": [[0, 1.0], [1, 2.0]]}),
    ("experiment_deleted_below", "then: gone, run 1, metrics"): (DELETED, {"a": 2.0}),
    ("experiment_deleted_below", "then: gone, run 1, stage"): (DELETED, "active"),
    ("float_steps", "between"): (STEPS, _INVALID),
    ("float_steps", "then: Default, run 2, histories"): (STEPS, {}),
    ("float_steps", "then: Default, run 2, metrics"): (STEPS, {}),
    ("left_open", "then: Default, run 1, has_ended"): (ENDS, True),
    ("left_open", "then: Default, run 1, status"): (ENDS, "FINISHED"),
    ("left_open_by_client", "then: Default, run 1, has_ended"): (ENDS, True),
    ("left_open_by_client", "then: Default, run 1, status"): (ENDS, "FINISHED"),
    ("left_open_by_client", "then: Default, run 1, tags"): (
        CLIENT,
        dict(_by("left_open_by_client"), **{"mlflow.runName": "never ended"}),
    ),
    ("long_values", "longer"): (LONG, [7000, 9000]),
    ("long_values", "then: Default, run 2, params"): (LONG, {"cut": "x" * 20 + " and more, in all 7000 characters"}),
    ("names_and_dicts", "file a:b.txt"): (FILES, _INVALID),
    ("names_and_dicts", "file con.txt"): (FILES, _INVALID),
    ("names_and_dicts", "file dot./x.txt"): (FILES, _INVALID),
    ("names_and_dicts", "folder in ./"): (CODES, _INVALID),
    ("names_and_dicts", "folder that is not there"): (FILES, {"raised": "FileNotFoundError", "says": []}),
    ("names_and_dicts", "nan"): (DICTS, {"deep": ["Infinity"], "nan": "NaN"}),
    ("names_and_dicts", "pair"): (DICTS, "pair:\n- 1\n- 2\n"),
    ("names_and_dicts", "then: Default, run 1, artifacts"): (FILES, None),
    ("nesting", "second without nested"): (
        CODES,
        {"raised": MLFLOW, "says": ["already active", "end_run", "nested=True"], "code": "INVALID_STATE"},
    ),
    ("pictures", "bad figure"): (CODES, _INVALID),
    ("pictures", "then: Default, run 1, artifacts"): (SERIES, None),
    ("tracking_address", "text"): (ADDRESS, "file://<here>/by_text"),
}
