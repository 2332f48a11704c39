"""How does a dict, a figure, an image or a table become the bytes of a file, of the kind that its name says?"""

from __future__ import annotations

import io
import json
import math
import os
import re

from .errors import BrokenFileError, InvalidValueError, MissingPackageError, shown
from .images import encode_image, image_file
from .store.documents import decode_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

    Table = Tuple[List[Any], List[List[Any]]]

__all__ = ["MAX_TABLE_BYTES", "encode_dict", "encode_figure", "encode_image", "encode_table", "image_file"]

MAX_TABLE_BYTES = 1 << 30  # of a table that rows are added to: it is read whole
_DEEPEST = 100  # lists and dicts in each other: what json and PyYAML write without running out of stack
_ADDRESS = r" at 0x[0-9a-fA-F]+"  # where a value lies in memory says nothing to a reader
_NOTHING = ("NAType", "NaTType")  # how pandas says that a cell is empty
_FAILURES = (
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    RuntimeError,
    ArithmeticError,
    OSError,
)  # of foreign code
_PLOTLY_IMAGES = (".png", ".jpg", ".jpeg", ".webp", ".svg", ".pdf")


def encode_dict(value: Any, name: str) -> bytes:
    """Return a dict or list as YAML where the name ends in ``.yaml`` or ``.yml``, else as JSON, in MLflow's layout.

    What both lack becomes readable text; tuples and sets become lists, arrays lists of numbers. In JSON, which lacks
    them, NaN and infinities are the texts ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``.

    Args:
        value: What to write.
        name: The file's name.

    Raises:
        InvalidValueError: It holds itself, or is nested too deep.
    """
    is_yaml = os.path.splitext(name)[1].lower() in (".yaml", ".yml")
    plain = _plain(value, 0, float if is_yaml else _as_text)
    try:
        if not is_yaml:
            return json.dumps(plain, indent=2).encode("ascii")
        import yaml  # costs 20 ms

        return bytes(yaml.safe_dump(plain, indent=2, default_flow_style=False, encoding="ascii"))
    except RecursionError as error:
        message = "This is nested too deep to be written as a file. Log a simpler value."
        raise InvalidValueError(message, value=type(value).__name__) from error


def encode_figure(figure: Any, name: str, save_kwargs: Mapping[str, Any]) -> bytes:
    """Return a figure of matplotlib or plotly as a file of the kind that its name says.

    Args:
        figure: A figure of matplotlib, or what has a ``savefig`` like one (a grid of seaborn), or an axes of one; or a
            figure of plotly.
        name: The file's name. matplotlib: any ending it knows. plotly: ``.html`` and ``.json``, and with kaleido
            ``.png``, ``.jpg``, ``.webp``, ``.svg`` and ``.pdf``.
        save_kwargs: Further arguments of ``savefig``, ``to_html``, ``to_json`` or ``to_image``. As with MLflow, a page
            loads plotly's own code from the net unless ``include_plotlyjs`` is True, which makes it 4 MB larger.

    Raises:
        InvalidValueError: It is no such figure, or cannot be written so.
        MissingPackageError: plotly needs kaleido for this kind of file.
    """
    ending = os.path.splitext(name)[1].lower()
    if not ending:
        message = "A figure's name needs an ending that says what kind of file it is, got %s. Name it '%s.png'."
        raise InvalidValueError(message % (shown(name), name), value=name)
    if hasattr(figure, "write_html") and hasattr(figure, "to_image"):
        return _encode_plotly(figure, ending, dict(save_kwargs))
    if not hasattr(figure, "savefig") and hasattr(figure, "get_figure"):
        figure = figure.get_figure()
    if not hasattr(figure, "savefig"):
        message = (
            "log_figure() takes figures of matplotlib and plotly, got %s. Save it to a file, and log_artifact() that."
        )
        raise InvalidValueError(message % type(figure).__name__, value=figure)
    buffer = io.BytesIO()
    try:
        figure.savefig(buffer, **dict({"format": ending[1:]}, **save_kwargs))
    except ValueError as error:
        raise InvalidValueError("The figure cannot be written as %s: %s." % (shown(name), error), value=name) from error
    return buffer.getvalue()


def encode_table(data: Any, existing: Optional[bytes], name: str) -> bytes:
    """Return a table as JSON, ``{"columns": [...], "data": [[...], ...]}``, which pandas reads with ``orient="split"``.

    Args:
        data: A dict of columns (values that are no lists stand in every row), a list of dicts, which are rows, or a
            DataFrame of pandas; its index is left out. NaN and what a row lacks become null.
        existing: The file that is there; the rows are added to it, and columns that it lacks on the right. None: none.
        name: The file's name: ``.json``, or ``.parquet`` where pandas can write that.

    Raises:
        InvalidValueError: It is no table, or the file that is there is none.
        MissingPackageError: Parquet needs pandas and pyarrow.
    """
    ending = os.path.splitext(name)[1].lower()
    columns, rows = _table(data)
    if ending == ".parquet":
        return _encode_parquet(columns, rows, existing, name)
    if ending != ".json":
        message = "A table is kept as JSON, and its name ends in .json, got %s."
        raise InvalidValueError(message % shown(name), value=name)
    if existing is not None:
        columns, rows = _joined(_decode_table(existing, name), (columns, rows))
    try:
        text = json.dumps({"columns": columns, "data": rows}, separators=(",", ":"), allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:  # a file that is there may hold what it likes
        raise InvalidValueError("The table cannot be written as JSON: %s." % error, value=name) from error
    return text.encode("ascii")


def _encode_plotly(figure: Any, ending: str, options: Dict[str, Any]) -> bytes:
    if ending in (".html", ".htm"):
        options.setdefault("include_plotlyjs", "cdn")
        options.pop("auto_open", None)  # an argument of write_html, which opens a browser
        return str(figure.to_html(**options)).encode("utf-8")
    if ending == ".json":
        return str(figure.to_json(**options)).encode("utf-8")
    if ending not in _PLOTLY_IMAGES:
        message = "plotly writes no files of kind %s. Name it with .html, .json, .png or .svg at the end."
        raise InvalidValueError(message % shown(ending), value=ending)
    try:
        import kaleido  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: F401 - asked for
    except ImportError as error:
        message = (
            "plotly needs kaleido to write %s. Install it by pip install kaleido, or name it with .html at the end."
        )
        raise MissingPackageError(message % ending, package="kaleido") from error
    return bytes(figure.to_image(**dict({"format": ending[1:]}, **options)))


def _encode_parquet(columns: List[Any], rows: List[List[Any]], existing: Optional[bytes], name: str) -> bytes:
    if existing is not None:
        message = (
            "Rows are added to tables of kind .json alone, and %s is there. Choose another name, or delete it first."
        )
        raise InvalidValueError(message % shown(name), value=name)
    try:
        import pandas as pd  # type: ignore[import-not-found,import-untyped,unused-ignore]
        import pyarrow as pa  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: F401 - asked for
    except ImportError as error:
        message = "Parquet needs pandas and pyarrow. Install them by pip install pandas pyarrow, or name it with .json."
        raise MissingPackageError(message, package="pyarrow") from error
    buffer = io.BytesIO()
    pd.DataFrame(rows, columns=[str(column) for column in columns]).to_parquet(buffer, index=False)
    return buffer.getvalue()


def _table(data: Any) -> Table:
    """Return the columns and rows of what somebody calls a table."""
    if hasattr(data, "iloc") and hasattr(data, "columns"):  # pandas; of two columns of one name both count
        lists = [data.iloc[:, place].tolist() for place in range(len(data.columns))]
        return _rows(list(data.columns), lists)
    if hasattr(data, "keys") and hasattr(data, "__getitem__"):
        return _rows(list(data.keys()), [data[key] for key in data.keys()])  # noqa: SIM118 - not all iterate over keys
    if isinstance(data, (list, tuple)) and all(hasattr(row, "keys") for row in data):
        columns = list(dict.fromkeys(key for row in data for key in row.keys()))  # noqa: SIM118
        return [_name(key) for key in columns], [[_cell(row.get(key)) for key in columns] for row in data]
    message = "A table is a dict of columns, a list of dicts or a DataFrame of pandas, got %s: %s."
    raise InvalidValueError(message % (type(data).__name__, shown(data)), value=data)


def _rows(names: List[Any], values: List[Any]) -> Table:
    """Return the table of these columns; values that are no lists are repeated in every row."""
    lists = [_list(value) for value in values]
    lengths = {str(name): len(each) for name, each in zip(names, lists) if each is not None}
    if len(set(lengths.values())) > 1:
        message = "The columns of a table have one length, got %s."
        raise InvalidValueError(message % ", ".join("%s: %d" % pair for pair in sorted(lengths.items())), value=lengths)
    height = max(lengths.values()) if lengths else (1 if names else 0)
    filled = [[value] * height if each is None else each for value, each in zip(values, lists)]
    return [_name(name) for name in names], [[_cell(column[row]) for column in filled] for row in range(height)]


def _list(value: Any) -> Optional[List[Any]]:
    """Return the values of a column, None for a single value."""
    if getattr(value, "shape", None) and hasattr(value, "tolist"):
        value = value.tolist()
    return list(value) if isinstance(value, (list, tuple, range)) else None


def _name(column: Any) -> Any:
    """Return a column's name as JSON keeps it: text, or a whole number."""
    return column if type(column) in (str, int) else str(column)


def _cell(value: Any) -> Any:
    """Return a cell as JSON keeps it; what is missing is null."""
    if type(value) in (str, int, bool, type(None)):
        return value
    if type(value).__name__ in _NOTHING:
        return None
    if hasattr(value, "resize") and hasattr(value, "save"):
        message = "A table holds no images. Log them with log_image(), and put their paths into the table."
        raise InvalidValueError(message, value=type(value).__name__)
    return _plain(value, 0, _as_null)


def _joined(there: Table, more: Table) -> Table:
    """Return one table of the rows of both, with the columns of both."""
    columns = there[0] + [column for column in more[0] if column not in there[0]]
    width = len(columns)
    rows = [row + [None] * (width - len(row)) for row in there[1]]
    if more[0] == columns:
        return columns, rows + more[1]
    if len(set(map(repr, more[0]))) < len(more[0]):
        message = "Two columns have one name, so they cannot be told apart in the table that is there: %s."
        raise InvalidValueError(message % shown(more[0]), value=more[0])
    places = [columns.index(column) for column in more[0]]
    for row in more[1]:
        wide: List[Any] = [None] * width
        for place, cell in zip(places, row):
            wide[place] = cell
        rows.append(wide)
    return columns, rows


def _decode_table(data: bytes, name: str) -> Table:
    try:
        table = decode_json(data, name)
    except BrokenFileError:
        table = None
    if isinstance(table, dict):
        columns, rows = table.get("columns"), table.get("data")
        if isinstance(columns, list) and isinstance(rows, list) and all(isinstance(row, list) for row in rows):
            return columns, [row[: len(columns)] for row in rows]
    message = "%s is there and is no table, so no rows can be added to it. Choose another name, or delete it first."
    raise InvalidValueError(message % shown(name), value=name)


def _plain(value: Any, depth: int, non_finite: Callable[[float], Any]) -> Any:
    """Return *value* with nothing in it but dicts, lists, texts, numbers, booleans and None.

    Args:
        value: Anything.
        depth: How many lists and dicts it lies in.
        non_finite: What becomes of NaN and infinities.
    """
    if depth > _DEEPEST:
        message = "This is nested over %d deep, or holds itself. Log a simpler value."
        raise InvalidValueError(message % _DEEPEST, value=type(value).__name__)
    if getattr(value, "shape", None) is not None and hasattr(value, "tolist"):
        value = _listed(value)
    if value is None or type(value) in (str, bool, int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else non_finite(float(value))
    if isinstance(value, int):
        return int(value)
    if isinstance(value, dict) or (hasattr(value, "keys") and hasattr(value, "items")):
        return {_key(key): _plain(item, depth + 1, non_finite) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        value = sorted(value, key=str)
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1, non_finite) for item in value]
    return _text(value)


def _as_text(number: float) -> str:
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _as_null(number: float) -> None:  # noqa: ARG001 - called like _as_text
    return None


def _listed(value: Any) -> Any:
    """Return an array as lists and a scalar of an array library as a number, else as text."""
    try:
        return value.tolist()
    except _FAILURES:
        return _text(value)


def _key(key: Any) -> Any:
    """Return the key of a dict; JSON makes text of numbers, True and None itself, and YAML has them."""
    return key if key is None or type(key) in (str, int, bool, float) else _text(key)


def _text(value: Any) -> str:
    """Return a readable text for *value*; there is always one."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    if hasattr(value, "__qualname__") and hasattr(value, "__module__"):  # a class or a function
        return "%s.%s" % (value.__module__, value.__qualname__)
    try:
        return re.sub(_ADDRESS, "", str(value))
    except _FAILURES:
        return "<%s>" % type(value).__name__
