"""Which of MLflow's inner modules do other libraries look into, and what do they find there?

Lightning, transformers, Optuna and others take limits from ``mlflow.utils.validation``, names of tags from
``mlflow.utils.mlflow_tags``, and ``resolve_tags`` from ``mlflow.tracking.context.registry``.
"""

from __future__ import annotations

import sys
from types import ModuleType

from . import absent, checks, client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Mapping, Optional

# What MLflow's stores take; ours take more of most, and a library that keeps to these loses nothing that MLflow keeps.
LIMITS = {
    "MAX_PARAMS_TAGS_PER_BATCH": 100,
    "MAX_METRICS_PER_BATCH": 1000,
    "MAX_DATASETS_PER_BATCH": 1000,
    "MAX_ENTITIES_PER_BATCH": 1000,
    "MAX_BATCH_LOG_REQUEST_SIZE": 1000000,
    "MAX_PARAM_VAL_LENGTH": 6000,
    "MAX_TAG_VAL_LENGTH": 8000,
    "MAX_EXPERIMENT_NAME_LENGTH": checks.MAX_EXPERIMENT_NAME_LENGTH,
    "MAX_EXPERIMENT_TAG_KEY_LENGTH": checks.MAX_NAME_LENGTH,
    "MAX_EXPERIMENT_TAG_VAL_LENGTH": 20000,
    "MAX_ENTITY_KEY_LENGTH": checks.MAX_NAME_LENGTH,
    "MAX_EXPERIMENTS_LISTED_PER_PAGE": 50000,
}
TAGS = {
    "MLFLOW_EXPERIMENT_SOURCE_ID": "mlflow.experiment.sourceId",
    "MLFLOW_EXPERIMENT_SOURCE_TYPE": "mlflow.experiment.sourceType",
    "MLFLOW_EXPERIMENT_PRIMARY_METRIC_NAME": "mlflow.experiment.primaryMetric.name",
    "MLFLOW_EXPERIMENT_PRIMARY_METRIC_GREATER_IS_BETTER": "mlflow.experiment.primaryMetric.greaterIsBetter",
    "MLFLOW_RUN_NAME": "mlflow.runName",
    "MLFLOW_RUN_NOTE": "mlflow.note.content",
    "MLFLOW_RUN_SOURCE_TYPE": "mlflow.runSourceType",
    "MLFLOW_RUN_TYPE": "mlflow.runType",
    "MLFLOW_PARENT_RUN_ID": "mlflow.parentRunId",
    "MLFLOW_ARTIFACT_LOCATION": "mlflow.artifactLocation",
    "MLFLOW_USER": "mlflow.user",
    "MLFLOW_SOURCE_TYPE": "mlflow.source.type",
    "MLFLOW_SOURCE_NAME": "mlflow.source.name",
    "MLFLOW_GIT_COMMIT": "mlflow.source.git.commit",
    "MLFLOW_GIT_BRANCH": "mlflow.source.git.branch",
    "MLFLOW_GIT_DIRTY": "mlflow.source.git.dirty",
    "MLFLOW_GIT_REPO_URL": "mlflow.source.git.repoURL",
    "MLFLOW_GIT_DIFF": "mlflow.source.git.diff",
    "MLFLOW_LOGGED_MODELS": "mlflow.log-model.history",
    "MLFLOW_LOGGED_ARTIFACTS": "mlflow.loggedArtifacts",
    "MLFLOW_LOGGED_IMAGES": "mlflow.loggedImages",
    "MLFLOW_AUTOLOGGING": "mlflow.autologging",
    "MLFLOW_DATASET_CONTEXT": "mlflow.data.context",
    "MLFLOW_PROJECT_ENV": "mlflow.project.env",
    "MLFLOW_PROJECT_ENTRY_POINT": "mlflow.project.entryPoint",
    "MLFLOW_PROJECT_BACKEND": "mlflow.project.backend",
    "MLFLOW_DOCKER_IMAGE_URI": "mlflow.docker.image.uri",
    "MLFLOW_DOCKER_IMAGE_ID": "mlflow.docker.image.id",
}


_made: Dict[str, ModuleType] = {}


def resolve_tags(tags: Optional[Mapping[str, Any]] = None, ignore: Any = None) -> Dict[str, Any]:  # noqa: ARG001
    """Return the tags that a run is to begin with: those that are given.

    MLflow adds who makes the run and from which script; here every run notes that itself.

    Args:
        tags: Values by key.
        ignore: Not looked at.
    """
    return dict(tags or {})


def modules() -> Dict[str, ModuleType]:
    """Return the inner modules by their name below ``mlflow``, made at the first call."""
    if not _made:
        front: Any = sys.modules[__package__]
        registry = _module("tracking.context.registry", {"resolve_tags": resolve_tags})
        _made.update({
            "utils": absent.AbsentModule("utils", absent.find("utils").instead),
            "utils.validation": _module("utils.validation", LIMITS),
            "utils.mlflow_tags": _module("utils.mlflow_tags", TAGS),
            "tracking.context": _module("tracking.context", {"registry": registry}),
            "tracking.context.registry": registry,
            "tracking.fluent": _module("tracking.fluent", {name: getattr(front, name) for name in front.__all__}),
            "tracking.client": client,
            "version": _module("version", {"VERSION": front.__version__}),
        })  # fmt: skip
        for below in ("validation", "mlflow_tags"):
            setattr(_made["utils"], below, _made["utils." + below])
    return _made


def _module(name: str, members: Mapping[str, Any]) -> ModuleType:
    module = ModuleType("mlflow." + name)
    module.__dict__.update(members)
    return module
