"""Which file name does a key get, and is it one that every file system takes and tells from the others?"""

import re
from hashlib import sha256
from unicodedata import normalize

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mini_mlflow import layout
from mini_mlflow.store.names import Names

DEVICES = ["con", "prn", "aux", "nul", "conin$", "conout$"]
DEVICES += [port + digit for port in ("com", "lpt") for digit in "0123456789¹²³"]
HASHED = r"~[0-9a-f]{16}\Z"

# Any key that some door may bring: also lone surrogates, control characters, slashes; often alike, often long.
ALIKE = st.text(st.sampled_from("aAbBßẞıIiİKk\u212aéE\u0301ſsSﬁf%2F/~.:~0"), min_size=1, max_size=8)
KEYS = st.one_of(
    st.text(st.characters(), min_size=1),
    ALIKE,
    st.builds(lambda text, count: text * count, ALIKE, st.integers(1, 120)),
    st.sampled_from(DEVICES),
    st.builds("~".join, st.tuples(ALIKE, st.text("0123456789abcdefABCDEFﬀ", min_size=14, max_size=16))),
)


def digest(key):
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def decoded(stem):
    """Return the key of a plain stem, by rule K2 alone."""
    data = re.sub(
        rb"%([0-9A-F]{2})", lambda match: bytes([int(match.group(1), 16)]), stem.encode("utf-8", "surrogatepass")
    )
    return data.decode("utf-8", "surrogatepass")


@settings(max_examples=500)
@given(KEYS)
@example("x" * 250)
@example("é" * 250)
@example("/" * 100)
@example(".")
@example("..")
@example("con.\n")
def test_a_stem_is_legal_everywhere_and_fits_its_key(key):
    """Rules K2 to K4 and K6."""
    for stem in (layout.plain_stem(key), layout.hashed_stem(key)):
        name = layout.file_name(stem)
        assert len(name.encode("utf-8")) <= 255
        assert not re.search(r'[/\\<>:"|?*\x00-\x1f\x7f-\x9f]', name)
        assert not name.startswith(".")
        assert name.partition(".")[0].rstrip(" ").lower() not in DEVICES
        assert layout.stem_of(name) == stem
        assert layout.fits(stem, key)
        assert layout.fits(normalize("NFD", stem), key)


@settings(max_examples=500)
@given(KEYS)
def test_a_plain_stem_tells_its_key(key):
    """Rules K2 and K3: two keys never share a stem, as a stem is either decodable or has the key's own hash."""
    stem = layout.plain_stem(key)
    if re.search(HASHED, stem):
        assert stem.endswith("~" + digest(key))
    else:
        assert decoded(stem) == key


@pytest.mark.long
@settings(max_examples=500)
@given(st.lists(KEYS, min_size=2, max_size=12, unique=True), st.sampled_from(["params", "metrics", "tags"]))
@example(["Loss", "loss"], "metrics")
@example(["K", "k", "\u212a"], "metrics")
@example(["é", "e\u0301"], "params")
@example(["ß", "SS", "ss", "ẞ"], "tags")
@example(["a/b", "a%2fb", "a%2Fb"], "metrics")
@example(["Loss", "loss", "loss~" + digest("loss")], "metrics")
@example(["Loss~" + digest("loss").upper(), "Loss", "loss"], "metrics")
@example(["Loss~" + digest("loss").replace("ff", "ﬀ"), "Loss", "loss"], "params")
def test_a18_no_two_keys_of_a_folder_have_names_that_some_disk_takes_for_one(keys, kind):
    """Rule K5."""
    names = Names()
    stems = {key: names.stem(kind, key) for key in keys}
    assert len({layout.fold(stem) for stem in stems.values()}) == len(keys)
    assert {key: names.stem(kind, key) for key in reversed(keys)} == stems
    assert all(layout.fits(stems[key], key) for key in keys)


@given(KEYS, KEYS)
def test_a_name_fits_no_other_key_but_those_that_some_disk_takes_for_the_same(key, other):
    """Rule K6."""
    if layout.fits(layout.plain_stem(key), other):
        assert layout.fold(layout.plain_stem(key)) == layout.fold(layout.plain_stem(other))


@pytest.mark.parametrize(
    "key", ["loss", "train loss", "é", "x.", "x ", "100%", "a%zz", "~", "a~b", "a~0123", "val.acc"]
)
def test_most_keys_are_their_own_stem(key):
    """Rule K2."""
    assert layout.plain_stem(key) == key


@pytest.mark.parametrize(
    ("one", "other"),
    [("Loss", "lOSS"), ("\u00e9", "E\u0301"), ("\u00df", "SS"), ("\u1e9e", "\u00df"), ("\u212a", "k"), ("\u0131", "I"),
     ("\u017f", "s"), ("\ufb01", "FI"), ("\u03c3", "\u03c2"), ("\u2126", "\u03c9")],
)  # fmt: skip
def test_a18_names_that_some_disk_takes_for_one_fold_to_one(one, other):
    """Rule K5."""
    assert layout.fold(one) == layout.fold(other)


@pytest.mark.parametrize(
    ("key", "stem"),
    [
        ("train/loss", "train%2Floss"),
        ("a\\b", "a%5Cb"),
        (".hidden", "%2Ehidden"),
        ("..", "%2E."),
        ("50%25", "50%2525"),
        ("a%2fb", "a%252fb"),
        ("a:b", "a%3Ab"),
        ("tab\there", "tab%09here"),
        ("\x80", "%C2%80"),
        ("\ud800", "%ED%A0%80"),
        ("a~0123456789abcdef", "a%7E0123456789abcdef"),
        ("a~0123456789ABCDEF", "a%7E0123456789ABCDEF"),
        ("~a~0123456789abcdef", "~a%7E0123456789abcdef"),
        ("a~0123456789abcdef0", "a~0123456789abcdef0"),
    ],
)
def test_what_file_names_cannot_have_everywhere_is_percent_encoded(key, stem):
    """Rule K2."""
    assert layout.plain_stem(key) == stem


def test_a17_keys_that_differ_by_their_encoding_get_files_of_their_own():
    """Rule K2."""
    keys = ["a/b", "a%2Fb", "a%252Fb", "%", "a%2fb"]
    names = Names()
    stems = [names.stem("metrics", key) for key in keys]
    assert stems[:4] == ["a%2Fb", "a%252Fb", "a%25252Fb", "%"]
    assert len({layout.fold(stem) for stem in stems}) == len(keys)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("form", ["%s", "%s.loss", "%s .x", "%s.\n"])
def test_a19_a_name_that_windows_takes_for_a_device_is_hashed_in_any_case(device, form):
    """Rule K3."""
    for key in (form % device, form % device.upper()):
        assert layout.plain_stem(key).endswith("~" + digest(key))


@pytest.mark.parametrize("key", ["console", "com", "com10", "xnul", "nul_", "lpt", "aux-loss", "con-1.x"])
def test_a_name_that_only_begins_like_a_device_stays(key):
    """Rule K3."""
    assert layout.plain_stem(key) == key


@pytest.mark.parametrize("key", ["x" * 250, "é" * 125, "/" * 83 + "a"])
def test_a16_a_stem_of_250_bytes_still_fits(key):
    """Rule K4."""
    stem = layout.plain_stem(key)
    assert len(stem.encode("utf-8")) == 250
    assert decoded(stem) == key


@pytest.mark.parametrize("key", ["x" * 251, "é" * 126, "é" * 116 + "/" * 20, "a/" * 100, "😀" * 63])
def test_a16_a_longer_one_is_cut_between_characters_and_hashed(key):
    """Rule K4."""
    stem = layout.plain_stem(key)
    assert stem == layout.hashed_stem(key)
    assert stem[-17:] == "~" + digest(key)
    assert key.startswith(decoded(stem[:-17]))
    assert 227 <= len(stem.encode("utf-8")) <= 250


@pytest.mark.parametrize(
    "name",
    [".tmp-0123456789abcdef", ".x.json", ".json", "x", "x.json~", "x.json.tmp", "x.JSON", ".DS_Store", "._x.json"],
)
def test_files_of_other_names_are_no_documents(name):
    """Rule S4."""
    assert layout.stem_of(name) is None


@pytest.mark.parametrize("host", ["../../x", "", "node 1", "é" * 300, "a" * 300, ".."])
def test_the_name_of_a_writers_folder_is_plain_whatever_the_host_calls_itself(host):
    """Rule W7."""
    name = layout.writer_name(host, 4242, "0123abcd")
    assert re.match(r"[A-Za-z0-9-]{1,40}-4242-0123abcd\Z", name)


@pytest.mark.parametrize("first", ["K", "k"])
def test_which_key_came_first_decides_and_the_name_of_each_stays(first):
    """Rule K5: the same whichever files are open, and after another process has looked at the folder."""
    second = first.swapcase()
    names = Names()
    assert names.stem("metrics", first) == first
    assert names.stem("metrics", second) == layout.hashed_stem(second)
    assert names.stem("metrics", first) == first
    assert names.stem("tags", second) == second
