"""What of MLflow is not here, and what does a script get that asks for it?"""

from __future__ import annotations

from types import ModuleType

from .exceptions import NOT_IMPLEMENTED, MlflowException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List

_FILES = "Keep the model's file with mlflow.log_artifact(), and load it from mlflow.artifacts.download_artifacts()"
_TAGS = (
    "Note the data set with mlflow.log_params() or mlflow.set_tags(), or keep its description with mlflow.log_dict()"
)
_NAMES = "Mark the run with mlflow.set_tag(), and find it with mlflow.search_runs()"
_NONE = "Leave the call out, or use MLflow itself"

# Modules that bring models of one library each; ``mlflow.sklearn.autolog()`` and the like are taken, with a warning.
FLAVORS = frozenset([
    "ag2", "agno", "anthropic", "autogen", "bedrock", "catboost", "crewai", "diffusers", "dspy", "fastai", "gemini",
    "gluon", "groq", "h2o", "haystack", "johnsnowlabs", "keras", "langchain", "lightgbm", "litellm", "llama_index",
    "mistral", "mleap", "onnx", "openai", "paddle", "pmdarima", "prophet", "pydantic_ai", "pyfunc", "pyspark",
    "pytorch", "rfunc", "semantic_kernel", "sentence_transformers", "shap", "sklearn", "smolagents", "spacy", "spark",
    "statsmodels", "strands", "tensorflow", "transformers", "xgboost",
])  # fmt: skip
_MODULES = {
    "data": _TAGS, "models": _FILES, "genai": _NONE, "projects": _NONE, "deployments": _NONE, "gateway": _NONE,
    "metrics": _NONE, "evaluation": _NONE, "recipes": _NONE, "tracing": _NONE, "server": _NONE, "store": _NONE,
    "utils": _NONE, "protos": _NONE, "system_metrics": _NONE, "types": _FILES, "onnx": _FILES,
    "config": _NONE, "environment_variables": _NONE,
}  # fmt: skip
_FUNCTIONS = {
    "log_input": _TAGS, "log_inputs": _TAGS, "log_outputs": _FILES, "import_checkpoints": _FILES, "evaluate": _NONE,
    "validate_evaluation_results": _NONE, "run": _NONE, "login": _NONE, "doctor": _NONE, "log_issue": _NONE,
    "log_expectation": _NONE, "context": _NONE, "test": _NONE, "get_latest_versions": _NAMES,
    "get_registry_uri": _NAMES, "set_registry_uri": _NAMES,
    "Image": "Give mlflow.log_image() the array or the image of Pillow itself",
    "delete_experiment_tag": "Empty it with mlflow.set_experiment_tag(key, '')",
}  # fmt: skip
# What is said of all other functions whose names have such a word.
_WORDS = (
    ("registered_model", _NAMES), ("model_version", _NAMES), ("register", _NAMES), ("alias", _NAMES), ("stage", _NAMES),
    ("model", _FILES), ("dataset", _TAGS), ("prompt", _NONE), ("trace", _NONE), ("span", _NONE), ("webhook", _NONE),
    ("workspace", _NONE), ("mcp", _NONE), ("assessment", _NONE), ("feedback", _NONE), ("session", _NONE),
)  # fmt: skip


def find(name: str) -> Any:
    """Return what stands for a name of MLflow's that is not here, None for one that MLflow lacks as well.

    Nothing is raised before it is called, so a script that imports it and never needs it runs.
    """
    if name in FLAVORS:
        return AbsentModule(name, _FILES)
    if name in _MODULES:
        return AbsentModule(name, _MODULES[name])
    if name in _FUNCTIONS:
        return absent(name, _FUNCTIONS[name])
    return next((absent(name, instead) for word, instead in _WORDS if word in name.lower()), None)


def absent(name: str, instead: str) -> Absent:
    """Return what can be named and looked into, and raises when it is called."""
    return Absent(name, instead)


class Absent:
    """Stands for a function or class of MLflow's that is not here."""

    def __init__(self, name: str, instead: str) -> None:
        """Make one.

        Args:
            name: Its name below ``mlflow``.
            instead: What to do instead.
        """
        self._name, self._instead = name, instead

    def __call__(self, *_: object, **__: object) -> Any:
        """Raise, as this is not here.

        Raises:
            MlflowException: Always.
        """
        message = "mlflow.%s is not in mini_mlflow.compat, which has no models, data sets, registry or traces. %s."
        raise MlflowException(message % (self._name, self._instead), NOT_IMPLEMENTED)

    def __mro_entries__(self, bases: object) -> Any:
        """Raise, as a class cannot be made of what is not here.

        Raises:
            MlflowException: Always.
        """
        return self()

    def __getattr__(self, name: str) -> Absent:
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent("%s.%s" % (self._name, name), self._instead)

    def __repr__(self) -> str:
        return "<mlflow.%s, which is not here>" % self._name


def warn_of_autolog(name: str) -> None:
    """Warn that nothing is logged by itself."""
    import warnings  # costs 0.2 ms

    message = (
        "mlflow.%s logs nothing here: mini_mlflow.compat does not reach into other libraries. What the script logs "
        "itself is logged; log the rest with mlflow.log_params() and mlflow.log_metrics()."
    )
    warnings.warn(message % name, UserWarning, stacklevel=3)


class AbsentModule(ModuleType):
    """Stands for a module of MLflow's that is not here: everything in it can be named, and raises when it is called."""

    def __init__(self, name: str, instead: str) -> None:
        """Make one.

        Args:
            name: Its name below ``mlflow``.
            instead: What to do instead.
        """
        super().__init__("mlflow." + name, "Not here. %s." % instead)
        self.instead = instead
        self._below = name
        self.__path__: List[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "autolog":
            return lambda *_, **__: warn_of_autolog("%s.autolog()" % self._below)
        return absent("%s.%s" % (self._below, name), self.instead)
