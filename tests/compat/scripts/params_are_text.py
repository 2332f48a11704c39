"""What params look like when they are read: the text of each value."""

import enum
import pathlib

from observing import mlflow, note


class Color(enum.Enum):
    RED = 1


values = {
    "int": 3, "float": 0.1, "small": 1e-07, "big": 10**20, "true": True, "none": None, "text": "adam", "empty": "",
    "list": [1, 2.5, "x"], "tuple": (1, 2), "dict": {"a": {"b": 1}}, "set": {1}, "nan": float("nan"),
    "infinite": float("inf"), "path": pathlib.PurePosixPath("/data/x"), "enum": Color.RED, "unicode": "größe 日本",
    "lines": "a\nb", "blanks": "  x  ", "digits": "007", "quoted": '"x"',
}  # fmt: skip
with mlflow.start_run() as run:
    mlflow.log_params(values)
    mlflow.log_param("class", int)
    mlflow.log_param("function", len)
read = mlflow.get_run(run.info.run_id).data.params
for key in sorted(read):
    note(key, read[key])
