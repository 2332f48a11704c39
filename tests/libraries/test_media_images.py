"""Do images come back from Pillow as they went in?"""

import io

import numpy as np
import PIL.Image
import pytest

from mini_mlflow import images
from mini_mlflow.errors import InvalidValueError

RANDOM = np.random.RandomState(0)


def reopened(image, name):
    with PIL.Image.open(io.BytesIO(images.encode_image(image, name))) as found:
        found.load()
        return found


@pytest.mark.parametrize(("shape", "mode"), [((9, 7), "L"), ((9, 7, 1), "L"), ((9, 7, 3), "RGB"), ((9, 7, 4), "RGBA")])
def test_our_png_of_an_array_is_read_by_pillow(shape, mode):
    array = RANDOM.randint(0, 256, shape).astype(np.uint8)
    found = reopened(array, "x.png")
    assert (found.format, found.mode, found.size) == ("PNG", mode, (7, 9))
    assert np.array_equal(np.asarray(found), array.reshape(np.asarray(found).shape))


def test_our_png_of_a_picture_is_not_much_larger_than_that_of_pillow():
    height, width = np.mgrid[0:256, 0:256]
    array = np.stack([height, width, (height + width) // 2], axis=2).astype(np.uint8) + RANDOM.randint(
        0, 4, (256, 256, 3)
    )
    array = np.clip(array, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    PIL.Image.fromarray(array).save(buffer, "PNG")
    assert len(images.encode_image(array, "x.png")) < 1.3 * len(buffer.getvalue())


@pytest.mark.parametrize(
    ("name", "kind"),
    [("x.jpg", "JPEG"), ("x.JPEG", "JPEG"), ("x.webp", "WEBP"), ("x.bmp", "BMP"), ("x.gif", "GIF"), ("x.tiff", "TIFF")],
)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_other_kinds_are_written_by_pillow(name, kind, channels):
    found = reopened(np.full((9, 7, channels), 200, np.uint8), name)
    assert (found.format, found.size) == (kind, (7, 9))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_images_of_pillow_are_written_as_they_are(mode):
    image = PIL.Image.new(mode, (7, 9))
    found = reopened(image, "a/x.png")
    assert (found.format, found.size) == ("PNG", (7, 9))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "LA", "L"])
def test_images_of_pillow_become_jpeg_without_their_transparency(mode):
    assert reopened(PIL.Image.new(mode, (7, 9)), "x.jpg").mode in ("RGB", "L")


def test_a_mode_that_the_kind_cannot_hold_is_told():
    with pytest.raises(InvalidValueError, match="mode F as PNG"):
        images.encode_image(PIL.Image.new("F", (2, 2)), "x.png")


@pytest.mark.parametrize("name", ["x.txt", "x.npy", "x.", "x.exe"])
def test_a_kind_that_pillow_does_not_write_is_told(name):
    for image in (PIL.Image.new("L", (2, 2)), np.zeros((2, 2))):
        with pytest.raises(InvalidValueError, match="Pillow writes no images of kind"):
            images.encode_image(image, name)


def test_an_image_of_mlflow_is_written_as_the_image_it_holds():
    from mlflow import Image

    assert np.array_equal(np.asarray(reopened(Image([[0, 128, 255]]), "x.png")), [[0, 128, 255]])


def test_arrays_give_the_pixels_that_mlflow_gives():
    from mlflow import Image

    for array in (RANDOM.randint(0, 256, (5, 6, 3)), RANDOM.rand(5, 6), RANDOM.rand(5, 6, 4) > 0.5):
        theirs = np.asarray(Image(array).to_pil()).astype(int)
        ours = np.asarray(reopened(array, "x.png")).astype(int)
        assert np.abs(theirs - ours).max() <= (array.dtype.kind == "f")  # MLflow rounds floats down, we to the nearest
