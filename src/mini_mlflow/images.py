"""How does a picture in memory become the bytes of an image file, and what is that file called?"""

from __future__ import annotations

import io
import os
import struct
import sys

from . import layout
from .artifact_names import find_fault
from .errors import InvalidValueError, MissingPackageError, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FOLDER = "images"
_COLOURS = {1: 0, 3: 2, 4: 6}  # PNG's colour types by channels: grey, RGB, RGBA (ISO/IEC 15948, section 11.2.2)
_UP = 2  # PNG's filter that keeps the difference to the line above (section 9.2)
_NO_ALPHA = ("JPEG", "BMP", "PPM")


def image_file(key: str, step: int, timestamp_ms: int) -> str:
    """Return a path among the artifacts for one image of a series: ``images/<key>/<step>-<time>-<8 hex digits>.png``.

    Args:
        key: The series; any text. What a folder's name cannot have is encoded (docs/format.md, rules K2 and K3).
        step: Its step.
        timestamp_ms: Its time. Two images of one step and millisecond get different names.
    """
    stem = layout.plain_stem(key)
    if find_fault(stem):
        stem = layout.hashed_stem(key)
    if find_fault(stem):
        stem = "key" + stem[-17:]  # '~' and the hash alone: with what stands before, the name leads elsewhere
    return "%s/%s/%08d-%d-%s.png" % (_FOLDER, stem, step, timestamp_ms, os.urandom(4).hex())


def encode_image(image: Any, name: str) -> bytes:
    """Return an image as a file of the kind that its name says.

    Args:
        image: An array of shape (height, width), or (height, width, channels) with 1, 3 or 4 channels: booleans,
            integers from 0 to 255, or floats from 0 to 1. Floats beyond that are stretched from the smallest to the
            greatest, with a warning, as MLflow does; NaN becomes 0. Or a tensor of PyTorch in that order, or an image
            of Pillow.
        name: The file's name: ``.png``, or another ending that Pillow knows.

    Raises:
        InvalidValueError: It is no such image, or its kind of file cannot hold it.
        MissingPackageError: Another kind of file than PNG, and Pillow is not installed.
    """
    ending = os.path.splitext(name)[1].lower()
    if not ending:
        message = "An image's name needs an ending that says what kind of file it is, got %s. Name it '%s.png'."
        raise InvalidValueError(message % (shown(name), name), value=name)
    if hasattr(image, "to_pil"):  # MLflow's own class
        image = image.to_pil()
    if _is_pillow(image):
        return _save(image, ending, name)
    pixels = _pixels(image)
    if ending == ".png":
        return encode_png(pixels)
    try:
        from PIL import Image  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError as error:
        message = "Images of kind %s are written by Pillow. Install it by pip install pillow, or log a .png."
        raise MissingPackageError(message % ending, package="pillow") from error
    return _save(Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels), ending, name)


def encode_png(pixels: Any) -> bytes:
    """Return an array of bytes of shape (height, width, channels) as a PNG file (ISO/IEC 15948)."""
    from zlib import compress, crc32

    import numpy as np

    height, width, channels = pixels.shape
    # Each line as the difference to the one above: pictures are smooth, and become half as large by it.
    lines = np.empty((height, 1 + width * channels), np.uint8)
    flat = pixels.reshape(height, width * channels)
    lines[:, 0] = _UP
    lines[0, 1:] = flat[0]
    np.subtract(flat[1:], flat[:-1], out=lines[1:, 1:])
    parts = [b"\x89PNG\r\n\x1a\n"]
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOURS[channels], 0, 0, 0)
    for kind, data in ((b"IHDR", header), (b"IDAT", compress(lines.tobytes(), 6)), (b"IEND", b"")):
        parts.append(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(kind + data) & 0xFFFFFFFF))
    return b"".join(parts)


def _is_pillow(image: Any) -> bool:
    module = sys.modules.get("PIL.Image")  # who has such an image has loaded it
    return module is not None and isinstance(image, module.Image)


def _save(image: Any, ending: str, name: str) -> bytes:
    """Let Pillow write an image of its own."""
    from PIL import Image  # type: ignore[import-not-found,import-untyped,unused-ignore]

    kind = Image.registered_extensions().get(ending)
    if kind not in Image.SAVE:
        message = "Pillow writes no images of kind %s. Name it with .png, .jpg or .webp at the end."
        raise InvalidValueError(message % shown(ending), value=name)
    if kind in _NO_ALPHA and image.mode in ("RGBA", "LA", "PA", "P"):
        image = image.convert("RGB")
    buffer = io.BytesIO()
    try:
        image.save(buffer, format=kind)
    except (OSError, ValueError, KeyError) as error:
        message = "Pillow cannot write this image of mode %s as %s: %s. Convert it, or name it with .png at the end."
        raise InvalidValueError(message % (image.mode, kind, error), value=name) from error
    return buffer.getvalue()


def _pixels(image: Any) -> Any:
    """Return an array of bytes of shape (height, width, channels)."""
    if hasattr(image, "savefig") or hasattr(image, "get_figure"):
        raise InvalidValueError("This is a figure and no image. Log it with log_figure().", value=image)
    array = _array(image)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in _COLOURS or 0 in array.shape:
        hint = ""
        if array.ndim == 3 and array.shape[0] in _COLOURS:
            hint = (
                " Its channels seem to stand first: log image.transpose(1, 2, 0), or image.permute(1, 2, 0) in PyTorch."
            )
        elif array.ndim == 4:
            hint = " It seems to be a batch: log its images one by one."
        message = "An image has the shape (height, width) or (height, width, 1, 3 or 4 channels), got %s.%s"
        raise InvalidValueError(message % (array.shape, hint), value=array.shape)
    if array.dtype.kind == "b":
        return array.astype("uint8") * 255
    if array.dtype.kind in "iu":
        if array.dtype.itemsize > 1 or array.dtype.kind == "i":
            low, high = int(array.min()), int(array.max())
            if low < 0 or high > 255:
                message = (
                    "The integers of an image go from 0 to 255, got %d to %d. Scale them, or log floats from 0 to 1."
                )
                raise InvalidValueError(message % (low, high), value=(low, high))
        return array.astype("uint8")
    if array.dtype.kind == "f":
        return _from_floats(array)
    message = "The pixels of an image are integers, floats or booleans, got %s. Convert them first."
    raise InvalidValueError(message % array.dtype, value=str(array.dtype))


def _array(image: Any) -> Any:
    """Return what there is as an array of NumPy."""
    try:
        import numpy as np
    except ImportError as error:
        message = "Images that are no files of Pillow's are read through NumPy. Install it by pip install numpy."
        raise MissingPackageError(message, package="numpy") from error
    try:
        for step in ("detach", "cpu"):  # a tensor of PyTorch that has a gradient, or lies on a device
            if hasattr(image, step) and not isinstance(image, np.ndarray):
                image = getattr(image, step)()
        array = np.ma.filled(image, 0) if isinstance(image, np.ma.MaskedArray) else np.asarray(image)
    except Exception as error:
        message = "This is no image: %s, which NumPy cannot read: %s. Log an array, or an image of Pillow."
        raise InvalidValueError(message % (type(image).__name__, error), value=image) from error
    if array.dtype.kind == "O" or array.ndim < 2:
        message = "An image is an array of shape (height, width) or more, got %s: %s."
        raise InvalidValueError(message % (type(image).__name__, shown(image)), value=image)
    return array


def _from_floats(array: Any) -> Any:
    """Return floats from 0 to 1 as bytes; others are stretched to that range."""
    import numpy as np

    values = array.astype("float64" if array.dtype.itemsize > 4 else "float32")
    is_finite = np.isfinite(values)
    low, high = (float(values[is_finite].min()), float(values[is_finite].max())) if is_finite.any() else (0.0, 0.0)
    if low < 0 or high > 1:
        import warnings

        message = "The floats of an image go from 0 to 1, got %g to %g. They are stretched to that range."
        warnings.warn(message % (low, high), UserWarning, stacklevel=5)
        values = (values - low) / (high - low) if high > low else np.clip(values, 0, 1)
    values = np.nan_to_num(np.clip(values, 0, 1))  # infinities are the ends of the range
    return np.rint(values * 255).astype("uint8")
