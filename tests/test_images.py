"""Do pictures in memory become image files with the same pixels, under names that are safe?"""

import struct
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mini_mlflow import images
from mini_mlflow.artifact_names import check_artifact_path
from mini_mlflow.errors import InvalidValueError, MissingPackageError


def decode(data):
    """Read a PNG file by the standard alone; return its pixels as (height, width, channels)."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    place, chunks = 8, []
    while place < len(data):
        size, kind = struct.unpack(">I4s", data[place : place + 8])
        content = data[place + 8 : place + 8 + size]
        [crc] = struct.unpack(">I", data[place + 8 + size : place + 12 + size])
        assert crc == zlib.crc32(kind + content) & 0xFFFFFFFF
        chunks.append((kind, content))
        place += 12 + size
    assert [kind for kind, _ in chunks] == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", chunks[0][1])
    assert (depth, compression, filtering, interlace) == (8, 0, 0, 0)
    channels = {0: 1, 2: 3, 6: 4}[colour]
    lines = np.frombuffer(zlib.decompress(chunks[1][1]), np.uint8).reshape(height, 1 + width * channels)
    assert set(lines[:, 0]) == {2}
    return np.cumsum(lines[:, 1:], axis=0, dtype=np.uint8).reshape(height, width, channels)


def pixels(image):
    return decode(images.encode_image(image, "x.png"))


RANDOM = np.random.RandomState(0)


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (7, 5, 1), (7, 5, 3), (7, 5, 4), (300, 2, 3)])
def test_bytes_are_kept_as_they_are(shape):
    array = RANDOM.randint(0, 256, shape).astype(np.uint8)
    assert np.array_equal(pixels(array).reshape(shape), array)
    assert np.array_equal(pixels(array[::-1]).reshape(shape), array[::-1])
    assert np.array_equal(pixels(np.asfortranarray(array)).reshape(shape), array)


@pytest.mark.parametrize("kind", ["int8", "int16", "uint16", "int32", "int64", "uint64"])
def test_integers_from_0_to_255_are_kept_as_they_are(kind):
    array = np.array([[0, 1], [100, 127]], kind)
    assert np.array_equal(pixels(array)[:, :, 0], array)


@pytest.mark.parametrize(("low", "high"), [(-1, 10), (0, 256), (-5, 70000)])
def test_other_integers_are_refused_with_their_range(low, high):
    with pytest.raises(InvalidValueError, match="0 to 255, got %d to %d" % (low, high)):
        pixels(np.array([[low, high]]))


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_floats_from_0_to_1_go_from_black_to_white(kind):
    array = np.array([[0, 0.5, 1], [1 / 255, 254 / 255, 0.25]], kind)
    assert pixels(array)[:, :, 0].tolist() == [[0, 128, 255], [1, 254, 64]]


def test_each_byte_survives_as_a_float():
    array = np.arange(256, dtype=np.uint8).reshape(16, 16)
    for kind in ("float32", "float64"):
        assert np.array_equal(pixels(array.astype(kind) / 255)[:, :, 0], array)


def test_nan_is_black_and_infinities_are_the_ends():
    array = np.array([[float("nan"), 0.5, float("inf"), -float("inf")]])
    assert pixels(array)[0, :, 0].tolist() == [0, 128, 255, 0]
    assert pixels(np.full((2, 2), float("nan")))[:, :, 0].tolist() == [[0, 0], [0, 0]]


def test_floats_beyond_the_range_are_stretched_to_it_with_a_warning():
    with pytest.warns(UserWarning, match="0 to 1, got -1 to 3") as caught:
        assert pixels(np.array([[-1.0, 0.0, 1.0, 3.0, float("nan")]]))[0, :, 0].tolist() == [0, 64, 128, 255, 0]
    assert len(caught) == 1
    with pytest.warns(UserWarning, match="got 7 to 7"):
        assert pixels(np.full((1, 2), 7.0))[0, :, 0].tolist() == [255, 255]


def test_true_is_white():
    assert pixels(np.array([[True, False]]))[0, :, 0].tolist() == [255, 0]


def test_lists_and_masked_arrays_are_images_too():
    assert pixels([[0, 255], [1, 2]])[:, :, 0].tolist() == [[0, 255], [1, 2]]
    masked = np.ma.MaskedArray([[9, 8]], [[False, True]])
    assert pixels(masked)[:, :, 0].tolist() == [[9, 0]]


def test_a_tensor_with_a_gradient_on_a_device_is_an_image():
    class Tensor:
        steps = ()

        def detach(self):
            self.steps += ("detach",)
            return self

        def cpu(self):
            self.steps += ("cpu",)
            return self

        def __array__(self, dtype=None, copy=None):
            assert self.steps == ("detach", "cpu")
            return np.array([[7]], dtype)

    assert pixels(Tensor()).tolist() == [[[7]]]


@pytest.mark.parametrize(
    ("image", "match"),
    [
        (np.zeros((3, 32, 32)), r"channels seem to stand first.*transpose\(1, 2, 0\).*permute"),
        (np.zeros((8, 32, 32, 3)), "batch: log its images one by one"),
        (np.zeros((4, 4, 2)), r"got \(4, 4, 2\)"),
        (np.zeros((0, 4)), r"got \(0, 4, 1\)"),
        (np.zeros(4), "shape"),
        (np.zeros((2, 2), complex), "got complex128"),
        (np.array([["a", "b"]]), "got <U1"),
        (np.array([[object()]]), "An image is an array"),
        ([[1, 2], [3]], "image"),
        (None, "An image is an array"),
        ("picture.png", "An image is an array"),
        (7, "An image is an array"),
    ],
)
def test_what_is_no_image_is_refused_with_what_to_do(image, match):
    with pytest.raises(InvalidValueError, match=match):
        pixels(image)


def test_a_figure_is_sent_to_its_own_function():
    class Figure:
        def savefig(self):
            raise AssertionError

    with pytest.raises(InvalidValueError, match=r"log_figure\(\)"):
        pixels(Figure())


def test_an_image_has_an_ending_that_says_its_kind():
    with pytest.raises(InvalidValueError, match=r"'picture\.png'"):
        images.encode_image(np.zeros((2, 2)), "picture")


def test_other_kinds_without_pillow_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingPackageError, match="pip install pillow"):
        images.encode_image(np.zeros((2, 2)), "x.jpg")


def test_images_without_numpy_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(MissingPackageError, match="pip install numpy"):
        images.encode_image([[0]], "x.png")


def test_an_image_of_a_series_is_named_by_key_step_and_time(monkeypatch):
    monkeypatch.setattr("os.urandom", lambda count: b"\x01" * count)
    assert images.image_file("dogs", 3, 1795425502982) == "images/dogs/00000003-1795425502982-01010101.png"
    assert images.image_file("val/dogs", 123456789, 0) == "images/val%2Fdogs/123456789-0-01010101.png"
    assert images.image_file("x", -2, 5) == "images/x/-0000002-5-01010101.png"


def test_two_images_of_one_step_and_millisecond_have_two_names():
    assert len({images.image_file("x", 1, 2) for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "key", ["..", "../x", "a/../../x", ".", "%2e%2e", "x.", "x ", "con", "aux.x", "", "\ud800", "é" * 200]
)
def test_a16_any_key_gives_a_name_that_stays_in_its_folder(key):
    name = images.image_file(key, 0, 0)
    parts = check_artifact_path(name)
    assert parts[0] == "images"
    assert len(parts) == 3
    assert images.image_file(key, 0, 0).rpartition("/")[0] == name.rpartition("/")[0]


@given(st.text(st.characters() | st.sampled_from("./%2eE~\\: "), max_size=300))
def test_the_name_of_any_image_of_a_series_is_legal(key):
    assert len(check_artifact_path(images.image_file(key, 0, 0))) == 3
