"""Which exceptions does this front raise, and with which codes? Those of MLflow."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Type

INTERNAL_ERROR = "INTERNAL_ERROR"
INVALID_PARAMETER_VALUE = "INVALID_PARAMETER_VALUE"
INVALID_STATE = "INVALID_STATE"
RESOURCE_ALREADY_EXISTS = "RESOURCE_ALREADY_EXISTS"
RESOURCE_DOES_NOT_EXIST = "RESOURCE_DOES_NOT_EXIST"
NOT_IMPLEMENTED = "NOT_IMPLEMENTED"


class MlflowException(Exception):  # noqa: N818 - its name in MLflow
    """Raise when a call cannot be done.

    Attributes:
        message: What failed and what to do.
        error_code: Such as ``INVALID_PARAMETER_VALUE`` or ``RESOURCE_DOES_NOT_EXIST``.
    """

    def __init__(self, message: object, error_code: object = INTERNAL_ERROR, **json_kwargs: Any) -> None:
        """Make one.

        Args:
            message: What failed and what to do.
            error_code: Its kind, as text.
            **json_kwargs: Further facts.
        """
        self.message = str(message)
        self.error_code = error_code if isinstance(error_code, str) else INTERNAL_ERROR
        self.json_kwargs = json_kwargs
        super().__init__(self.message)

    @classmethod
    def invalid_parameter_value(cls: Type[MlflowException], message: object, **json_kwargs: Any) -> MlflowException:
        """Return one with the code ``INVALID_PARAMETER_VALUE``."""
        return cls(message, INVALID_PARAMETER_VALUE, **json_kwargs)


class RestException(MlflowException):
    """Never raised here, as no server is asked; for scripts that catch it."""


class MissingConfigException(MlflowException):
    """Never raised here; for scripts that catch it."""


class ExecutionException(MlflowException):
    """Never raised here; for scripts that catch it."""


def invalid(message: str) -> MlflowException:
    """Return an error for a value that is not taken."""
    return MlflowException(message, INVALID_PARAMETER_VALUE)


def missing(message: str) -> MlflowException:
    """Return an error for something that is not there."""
    return MlflowException(message, RESOURCE_DOES_NOT_EXIST)
