"""Which trackers are compared, what does each need, and how is it told to stay offline?"""

import os
from collections import namedtuple

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

Peer = namedtuple(
    "Peer",
    [
        "title",  # as in the tables
        "adapter",  # its module in adapters/
        "imports",  # what `import` is timed of
        "requirements",  # what pip installs; "." is this checkout
        "environment",  # the name of its virtual environment: peers of equal needs share one
        "environ",  # its settings
        "is_required",  # whether its absence is an error
        "has_start_only_params",  # whether settings are given at the start of a run alone
    ],
)

_MLFLOW = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING": "false"}


def _peer(title, adapter, imports, requirements, environment, environ=None, **flags):
    return Peer(
        title,
        adapter,
        imports,
        requirements,
        environment,
        environ or {},
        flags.get("is_required", False),
        flags.get("has_start_only_params", False),
    )


PEERS = {
    "ours": _peer("Mini MLflow", "mini_mlflow_here", "mini_mlflow", ["."], "mini-mlflow-here", is_required=True),
    "ours-no-fsync": _peer(
        "Mini MLflow, `MINI_MLFLOW_FSYNC=off`",
        "mini_mlflow_here",
        "mini_mlflow",
        ["."],
        "mini-mlflow-here",
        {"MINI_MLFLOW_FSYNC": "off"},
        is_required=True,
    ),
    "0.1.0": _peer(
        "mini-mlflow 0.1.0",
        "mini_mlflow_0_1_0",
        "mini_mlflow",
        ["mini-mlflow==0.1.0"],
        "mini-mlflow-0.1.0",
        is_required=True,
    ),
    "mlflow-files": _peer(
        "MLflow, file store",
        "mlflow_any",
        "mlflow",
        ["mlflow-skinny", "sqlalchemy", "alembic"],
        "mlflow",
        dict(_MLFLOW, MLFLOW_ALLOW_FILE_STORE="true", BENCHMARK_TRACKING_URI="file://{folder}/mlruns"),
        is_required=True,
    ),
    "mlflow-sqlite": _peer(
        "MLflow, SQLite",
        "mlflow_any",
        "mlflow",
        ["mlflow-skinny", "sqlalchemy", "alembic"],
        "mlflow",
        dict(_MLFLOW, BENCHMARK_TRACKING_URI="sqlite:///{folder}/mlflow.db"),
        is_required=True,
    ),
    "wandb": _peer(
        "W&B, offline",
        "wandb_offline",
        "wandb",
        ["wandb"],
        "wandb",
        {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"},
    ),
    "aim": _peer("Aim", "aim_local", "aim", ["aim"], "aim"),
    "tensorboard": _peer(
        "TensorBoard (its own writer)",
        "tensorboard_own",
        "tensorboard.summary",
        ["tensorboard"],
        "tensorboard",
        has_start_only_params=True,
    ),
    "tensorboardx": _peer("tensorboardX", "tensorboard_x", "tensorboardX", ["tensorboardX"], "tensorboardx"),
    "dvclive": _peer("DVCLive", "dvclive_local", "dvclive", ["dvclive"], "dvclive", {"DVC_NO_ANALYTICS": "true"}),
    "swanlab": _peer("SwanLab, offline", "swanlab_offline", "swanlab", ["swanlab"], "swanlab"),
    "trackio": _peer(
        "Trackio",
        "trackio_local",
        "trackio",
        ["trackio"],
        "trackio",
        {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "GRADIO_ANALYTICS_ENABLED": "False"},
        has_start_only_params=True,
    ),
    "sacred": _peer(
        "Sacred, files",
        "sacred_files",
        "sacred",
        ["sacred", "setuptools<81"],
        "sacred",
        has_start_only_params=True,
    ),
}

# What reads the package's version: the first requirement names it.
OURS = ("ours", "ours-no-fsync")
MEMORY_ONLY = ("tensorboard", "tensorboardx", "swanlab", "trackio", "sacred", "wandb")


def environ(peer, folder):
    """Return the environment of a process that runs *peer* with all of its files under *folder*."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "SYSTEMROOT") if name in os.environ}
    home = os.path.join(folder, "home")
    os.makedirs(os.path.join(home, "tmp"), exist_ok=True)
    kept.update(
        HOME=home,
        USERPROFILE=home,
        TMPDIR=os.path.join(home, "tmp"),
        XDG_CACHE_HOME=os.path.join(home, ".cache"),
        XDG_CONFIG_HOME=os.path.join(home, ".config"),
        TRACKIO_DIR=os.path.join(folder, "trackio"),
        DO_NOT_TRACK="1",
        PYTHONPATH=os.path.join(ROOT, "benchmarks"),
        PYTHONHASHSEED="0",
    )
    kept.update(peer.environ)
    return kept
