"""Which keys, values, steps, timestamps and ids are refused, and in what form are the others kept?"""

import enum
import json
import math
import pathlib
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mini_mlflow import InvalidIdError, InvalidKeyError, InvalidStatusError, InvalidValueError, keys, values
from mini_mlflow.store import documents

# Newer versions of Python refuse to write it out, also in a message.
HUGE = 10**6000
A_HUGE_ONE = pytest.param(HUGE, id="huge")


class Scalar:
    """What NumPy, PyTorch and JAX have in common: no dimension, and a Python number inside."""

    shape = ()

    def __init__(self, value):
        self.value = value

    def item(self):
        return self.value


class Array(Scalar):
    shape = (32, 3)


class Colour(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    LOW = 3


def legal_characters():
    return st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters='/\\<>:"|?*')


# Keys


@given(st.text(legal_characters(), min_size=1, max_size=250).filter(lambda key: key not in (".", "..")))
def test_a_key_of_1_to_250_legal_characters_is_taken_as_it_is(key):
    """Rule K1."""
    assert keys.check_key(key) == key


@pytest.mark.parametrize(
    "key", ["", ".", "..", "a/b", "a\\b", "k" * 251, *("a%sb" % c for c in '<>:"|?*'), "a\x00", "\x1f", "\x7f", "\x9f"]
)
def test_a_key_that_is_no_file_name_everywhere_is_refused_by_name(key):
    """Rule K1."""
    with pytest.raises(InvalidKeyError) as caught:
        keys.check_key(key, "Metric")
    assert str(caught.value).startswith("Metric name")
    assert caught.value.key == key


@pytest.mark.parametrize("key", ["\ud800", "a\udfffb"])
def test_b09_a_lone_surrogate_in_a_key_is_refused(key):
    """Rule K1."""
    with pytest.raises(InvalidKeyError):
        keys.check_key(key)


@pytest.mark.parametrize("key", ["NUL", "aux.loss", "COM¹", "CONIN$", "x.", "x ", " x", "-rf", "~", "%41"])
def test_a19_a_key_that_windows_minds_is_taken_for_it_is_encoded_later(key):
    """Rules K1 and K3."""
    assert keys.check_key(key) == key


@pytest.mark.parametrize("key", [None, 5, 1.5, b"loss", ("loss",), A_HUGE_ONE])
def test_a_key_that_is_no_text_is_refused(key):
    with pytest.raises(InvalidKeyError, match="must be text"):
        keys.check_key(key)


def test_a_subclass_of_text_becomes_plain_text():
    class Name(str):
        pass

    assert type(keys.check_key(Name("loss"))) is str


@pytest.mark.parametrize(
    ("key", "fragment"), [("a/b", "cannot contain slashes"), ("", "cannot be empty"), ("/", "cannot contain slashes.")]
)
def test_the_messages_of_0_1_0_are_still_there(key, fragment):
    with pytest.raises(ValueError, match=fragment):
        keys.check_key(key)


# Numbers


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (True, 1),
        (False, 0),
        pytest.param(2**1024 - 1, 2**1024 - 1, id="greatest"),
        (Scalar(2.5), 2.5),
        (Scalar(True), 1),
        (Decimal("0.5"), 0.5),
        (Fraction(1, 4), 0.25),
        (Level.LOW, 3),
        (math.inf, math.inf),
        (-0.0, -0.0),
    ],
)
def test_b08_a_number_is_kept_as_a_plain_int_or_float(value, kept):
    """Rule M7."""
    number = values.check_number(value, "loss")
    assert (type(number), repr(number)) == (type(kept), repr(kept))


@pytest.mark.parametrize(
    "value",
    [None, "0.5", b"1", 1j, [1.0], Array(1.0), Scalar("x"), {}, 2**1024, -(2**1024), A_HUGE_ONE, Decimal("sNaN")],
)
def test_b08_what_is_not_one_real_number_is_refused(value):
    """Rule M7."""
    with pytest.raises(InvalidValueError) as caught:
        values.check_number(value, "loss")
    assert "'loss'" in str(caught.value)
    assert caught.value.key == "loss"


@pytest.mark.parametrize("key", [5, None, ("a", "b"), "train loss"])
def test_a_bad_value_is_told_whatever_the_key(key):
    for value in (Array(1.0), HUGE, "x"):
        with pytest.raises(InvalidValueError):
            values.check_number(value, key)


def test_the_message_for_an_array_says_what_to_log():
    with pytest.raises(ValueError, match=r"array of shape \(32, 3\)\. Log a reduced value such as loss\.mean\(\)"):
        values.check_number(Array(1.0), "loss")


@pytest.mark.parametrize("step", [0, -(2**63), 2**63 - 1, True])
def test_b08_a_step_is_any_integer_of_64_bits(step):
    """Rule M7."""
    kept = values.check_step(step, "loss")
    assert (type(kept), kept) == (int, step)


@pytest.mark.parametrize("step", [1.5, 1.0, "1", None, 2**63, -(2**63) - 1, A_HUGE_ONE, math.nan])
def test_b08_any_other_step_is_refused(step):
    """Rule M7."""
    with pytest.raises(InvalidValueError, match="Step of metric 'loss'"):
        values.check_step(step, "loss")


@pytest.mark.parametrize("timestamp", [-1, 1.5, "now", None, 2**63, A_HUGE_ONE])
def test_b08_a_timestamp_that_is_no_count_of_milliseconds_is_refused(timestamp):
    """Rule M7."""
    with pytest.raises(InvalidValueError, match="whole milliseconds"):
        values.check_timestamp(timestamp, "loss")


@pytest.mark.parametrize("timestamp", [0, 10**18, 2**63 - 1])
def test_b08_a_timestamp_is_any_integer_from_0_of_64_bits(timestamp):
    """Rule M7."""
    assert values.check_timestamp(timestamp, "loss") == timestamp


# Values of params and tags


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ((1, [2, (3,)]), [1, [2, [3]]]),
        ({1: {"a": (None,)}}, {"1": {"a": [None]}}),
        (Scalar(0.5), 0.5),
        ([Scalar(7)], [7]),
        (pathlib.PurePosixPath("data/x"), "data/x"),
        (Colour.RED, "Colour.RED"),
        (Level.LOW, 3),
        (True, True),
        (2**1024 - 1, 2**1024 - 1),
    ],
)
def test_a_value_becomes_what_every_reader_will_see(value, kept):
    """Rule D3."""
    checked = values.check_json_value(value, "p", "Param")
    assert (type(checked), checked) == (type(kept), kept)


def circle():
    items = []
    items.append(items)
    return items


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [circle(), nested(100000), 2**1024, -(2**1024), [2**1024], A_HUGE_ONE],
)
def test_a_value_that_cannot_be_read_back_is_refused(value):
    """Rule D3: an integer must be readable by every version of Python."""
    with pytest.raises(InvalidValueError, match="Param 'p' must be JSON-serializable") as caught:
        values.check_json_value(value, "p", "Param")
    assert isinstance(caught.value, TypeError)
    assert caught.value.value is value


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**1023), 2**1023) | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=20,
)


@given(VALUES)
def test_a_checked_value_comes_back_from_its_document(value):
    """Rules D3 and D4: NaN and infinities inside a list or dict come back as text."""
    checked = values.check_json_value(value, "p", "Param")
    document = documents.decode_json(documents.encode_value("p", checked, 5), "p.json")
    assert document["key"] == "p"
    assert document["timestamp"] == 5
    assert same(documents.decode_value(document), value)


def same(found, value, depth=0):
    """Tell whether *found* is what rules D3 and D4 make of *value*."""
    if isinstance(value, float) and not math.isfinite(value):
        name = "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        return found == name if depth else (type(found) is float and json.dumps(found) == name)
    if isinstance(value, list):
        return len(found) == len(value) and all(same(*pair, depth + 1) for pair in zip(found, value))
    if isinstance(value, dict):
        return list(found) == list(value) and all(same(found[key], value[key], depth + 1) for key in value)
    return type(found) is type(value) and found == value


# Ids, statuses, labels


@pytest.mark.parametrize(
    "run_id",
    ["", "..", ".", "../0/x", ".trash", "a/b", "a\\b", "-rf", "_a", "meta.yaml", "META.yaml", "owner.json", "params",
     "Writers", "CON", "nul.txt", "com1", "a.", "a b", "a:b", "é", "a\n", "x" * 129, "x" * 300, None, 5,
     b"a", A_HUGE_ONE],
)  # fmt: skip
def test_a08_a_run_id_that_is_no_plain_folder_name_is_refused(run_id):
    """Rule S3."""
    with pytest.raises(InvalidIdError) as caught:
        keys.check_run_id(run_id)
    assert caught.value.id is run_id


@pytest.mark.parametrize("run_id", ["a", "0", "x" * 128, "a.b-c_D", "constant", "12345678901234567890123456789012"])
def test_a_run_id_of_letters_digits_and_signs_within_is_taken(run_id):
    """Rule S3."""
    assert keys.check_run_id(run_id) == run_id


@pytest.mark.parametrize(
    "run_id", ["", "..", ".", "../0/x", ".trash", "a/b", "a\\b", "-rf", "a\0", "x" * 300, "\ud800", None, 5, A_HUGE_ONE]
)
def test_a08_a_run_id_to_look_up_names_one_visible_folder(run_id):
    """Rule S3."""
    with pytest.raises(InvalidIdError):
        keys.check_known_run_id(run_id)


@pytest.mark.parametrize("run_id", ["my run", "é", "_x", "caf\udce9", "x" * 255])
def test_a_run_id_to_look_up_may_be_any_name_that_others_gave(run_id):
    """Rule S3."""
    assert keys.check_known_run_id(run_id) == run_id


@pytest.mark.parametrize(
    ("given_id", "kept"),
    [(0, 0), ("0", 0), ("17", 17), (2**63 - 1, 2**63 - 1), (str(2**63 - 1), 2**63 - 1), ("00", "00"), ("a-1", "a-1"),
     (str(2**63), str(2**63)), ("9" * 40, "9" * 40)],
)  # fmt: skip
def test_an_experiment_id_is_a_number_or_a_plain_folder_name(given_id, kept):
    """Rule S2."""
    checked = keys.check_experiment_id(given_id)
    assert (type(checked), checked) == (type(kept), kept)
    assert keys.check_experiment_id(checked) == checked
    assert keys.check_experiment_id(str(checked)) == checked


@pytest.mark.parametrize(
    "experiment_id",
    [
        "",
        "..",
        "../0/x",
        ".trash",
        "a/b",
        "-rf",
        "-1",
        "meta.yaml",
        "CON",
        "x" * 300,
        -1,
        2**63,
        1.0,
        True,
        None,
        A_HUGE_ONE,
    ],
)
def test_a08_any_other_experiment_id_is_refused(experiment_id):
    """Rule S2."""
    with pytest.raises(InvalidIdError):
        keys.check_experiment_id(experiment_id)


@pytest.mark.parametrize("status", ["RUNNING", "LOST", "finished", "", None, 0, ("FAILED",), A_HUGE_ONE])
def test_a_run_ends_with_none_but_the_three_statuses(status):
    with pytest.raises(InvalidStatusError, match="Invalid status"):
        keys.check_end_status(status)
    assert [keys.check_end_status(each) for each in keys.END_STATUSES] == ["FINISHED", "FAILED", "KILLED"]


def test_a_label_is_text_or_another_scalar_that_json_has():
    assert [keys.check_label(each, "Version") for each in (None, "v1", 2, 1.5, True)] == [None, "v1", 2, 1.5, True]
    for label in (["v1"], b"v1", object(), HUGE, 2**1024):
        with pytest.raises(InvalidValueError, match="Version must be text"):
            keys.check_label(label, "Version")
