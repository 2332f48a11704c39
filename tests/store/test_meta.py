"""Does a meta.yaml read alike in every YAML parser and in ours, and is a hostile one reported rather than obeyed?"""

import json
import math
import os
import re
import sys
import time

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mini_mlflow import BrokenFileError, UnsupportedFormatError
from mini_mlflow.store import foreign_meta, meta

LOADERS = [yaml.SafeLoader] + ([yaml.CSafeLoader] if hasattr(yaml, "CSafeLoader") else [])

# What YAML 1.1, YAML 1.2 and people take for something else than text.
WORDS = """
yes no on off y n Y N true null ~ NaN .nan .inf -.inf Infinity 1_0 0123 0o17 0x1f 12:30 190:20:30 1e5 1.0e+22 = << <<:
a:b 2026-01-01 2001-12-14t21:59:43.10-05:00 ! & * - ? : [ ] { } , # | > ' " % @ ` --- ... !!str
"""
SIGNS = [
    "",
    " ",
    "a: b",
    "a #b",
    "\u2028",
    "\x85",
    "\x7f",
    "\ufeff",
    "\ufffe",
    "\uffff",
    "\U0001ffff",
    "\t",
    "\r\n",
    "\0",
]
TRAPS = st.sampled_from(WORDS.split() + SIGNS)
TEXTS = st.text(st.characters(), max_size=20) | TRAPS
SCALARS = st.none() | st.booleans() | st.integers(-(2**1023), 2**1023) | st.floats() | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)
NAMES = st.from_regex(r"\A[a-z][a-z0-9_]{0,20}\Z") | TEXTS


def as_stored(value):
    """Return *value* as rule Y2 has it: surrogates replaced, NaN and infinities as text."""
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, float) and not math.isfinite(value):
        return json.dumps(value)
    if isinstance(value, list):
        return [as_stored(item) for item in value]
    if isinstance(value, dict):
        return {as_stored(key): as_stored(item) for key, item in value.items()}
    return value


@pytest.mark.long
@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_every_parser_reads_what_was_written(fields):
    """Rules Y1 and Y2."""
    data = meta.encode(fields)
    expected = as_stored(fields)
    if len(expected) < len(fields):
        return  # two names that differ by a lone surrogate alone
    if fields:
        assert repr(meta.decode(data, "meta.yaml")) == repr(expected)
    for loader in LOADERS:
        assert repr(yaml.load(data, loader) or {}) == repr(expected)


@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=4))
def test_our_lines_need_no_yaml_parser(fields):
    """Rule Y1."""
    data = meta.encode(fields)
    if len(as_stored(fields)) == len(fields):
        lines = data.decode("utf-8")[:-1].split("\n")
        assert len(lines) == len(fields)
        for line, (name, value) in zip(lines, fields.items()):
            end = re.match(r'[a-z][a-z0-9_]*|"(?:[^"\\]|\\.)*"', line).end()
            assert line[end : end + 2] == ": "
            assert line[:end] == name or json.loads(line[:end]) == as_stored(name)
            assert repr(json.loads(line[end + 2 :])) == repr(as_stored(value))


def test_reading_our_own_file_loads_no_yaml_parser(tmp_path, monkeypatch):
    """Rule Y1."""
    monkeypatch.setitem(sys.modules, "yaml", None)  # importing it fails
    (tmp_path / "meta.yaml").write_bytes(meta.encode({"name": "no", "a b": 1e22, "yes": None}))
    assert meta.read_meta(str(tmp_path / "meta.yaml")) == {"name": "no", "a b": 1e22, "yes": None}


def test_the_text_is_the_one_that_the_format_shows():
    """Rules Y1 and Y2."""
    fields = {"format": 1, "name": "é\x7f\u2028", "on": 1e22, "A": 1e-7, "x_1": [1.5, {"k": None}], "f": math.nan}
    assert meta.encode(fields).decode("utf-8") == (
        'format: 1\nname: "é\\u007f\\u2028"\n"on": 1.0e+22\n"A": 1.0e-07\nx_1: [1.5, {"k": null}]\nf: "NaN"\n'
    )


@pytest.mark.parametrize("name", ["no", "0123", "12:30", "~", "1_0", "null", "1e5", "NaN", "2026-01-01", "1" * 32, "é"])
def test_b05_a_name_that_yaml_takes_for_something_else_comes_back_as_text(name):
    """Rule Y1; and as other programs write it, quoted only where their parser needs it."""
    assert meta.decode(meta.encode({"name": name, "run_id": name}), "meta.yaml") == {"name": name, "run_id": name}
    foreign = yaml.safe_dump({"name": name, "run_id": name}, allow_unicode=True).encode("utf-8")
    assert meta.decode(foreign, "meta.yaml") == {"name": name, "run_id": name}


# Text that we did not write


@pytest.fixture(params=LOADERS, ids=lambda loader: loader.__name__)
def any_loader(request, monkeypatch):
    """Let *meta* find the pure loader alone, as where PyYAML has no C library, or both."""
    if request.param is yaml.SafeLoader and hasattr(yaml, "CSafeLoader"):
        monkeypatch.delattr(yaml, "CSafeLoader")


@pytest.mark.usefixtures("any_loader")
@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (b"name: baseline\nstatus: FINISHED\n", {"name": "baseline", "status": "FINISHED"}),
        (b"a: 1", {"a": 1}),
        (b"\xef\xbb\xbfa: 1\n", {"a": 1}),
        (b"a: 1\r\nb: x\r\n", {"a": 1, "b": "x"}),
        (b"a: 1\r\nb: 2\r\n", {"a": 1, "b": 2}),
        ("a: é\n".encode("utf-16"), {"a": "é"}),
        (b"# note\na: &id001 [1]\nb: *id001\n", {"a": [1], "b": [1]}),
        (b"a: 2026-11-24\nb: 2026-11-24 10:00:00\nc: 2026-11-24T10:00:00Z\n",
         {"a": "2026-11-24", "b": "2026-11-24T10:00:00", "c": "2026-11-24T10:00:00Z"}),
        (b"a: {x: {y: z}}\nb: !!binary aGk=\nc: !!set {b, a}\n", {"a": {"x": {"y": "z"}}, "b": "hi", "c": ["a", "b"]}),
        (b"1: a\n? [x]\n", None),
        (b'a: "\\ud800"\n', {"a": "\ud800"}),
        (b"base: &b {k: 1}\nx: {<<: *b, l: 2}\n", {"base": {"k": 1}, "x": {"k": 1, "l": 2}}),
        (b"a: NaN\nb: 1\n", {"a": "NaN", "b": 1}),
        (b"a: .nan\n", {"a": math.nan}),
    ],
)  # fmt: skip
def test_b06_yaml_of_others_is_read(text, fields):
    """Rule Y4."""
    if fields is None:
        with pytest.raises(BrokenFileError):
            meta.decode(text, "meta.yaml")
    else:
        assert repr(meta.decode(text, "meta.yaml")) == repr(fields)


MERGE_BOMB = "a0: &a0 {k: 1}\n" + "".join(
    "a%d: &a%d {<<: [%s]}\n" % (level, level, ", ".join(["*a%d" % (level - 1)] * 9)) for level in range(1, 10)
)
ALIAS_BOMB = "a0: &a0 [x]\n" + "".join(
    "a%d: &a%d [%s]\n" % (level, level, ", ".join(["*a%d" % (level - 1)] * 9)) for level in range(1, 10)
)
STAIRS = "a: &a0 [x]\n" + "".join("b%d: &a%d [*a%d]\n" % (step, step, step - 1) for step in range(1, 2000))
DASHES = "".join("%s%sa:\n" % (" " * 90 * line, "- " * 45) for line in range(60))
HOSTILE = {
    "b01-call": "a: !!python/object/apply:os.system [touch ./canary]\n",
    "b01-name": "a: !!python/name:os.system\n",
    "b01-new": "!!python/object/new:os.system [touch ./canary]\n",
    "b02-flow": "[" * 30000,
    "b02-flow-map": "a: " + "{a: " * 30000,
    "b02-dashes": "- " * 30000 + "x",
    "b02-questions": "? " * 30000 + "x",
    "b02-indents": "\n".join(" " * depth + "a:" for depth in range(1000)),
    "b02-lone-dashes": "\n".join(" " * depth + "-" for depth in range(1000)),
    "b02-same-column": "\n".join(" " * (depth // 2 * 2) + ("a:", "- b:")[depth % 2] for depth in range(1000)),
    "b02-lines-of-dashes": DASHES,
    "b03-aliases": ALIAS_BOMB,
    "b03-merges": MERGE_BOMB,
    "b03-stairs": STAIRS,
    "b03-loop": "a: &a [*a]\n",
    "b03-loop-of-keys": "a: &a {b: *a}\n",
    "b04-date": "a: 2026-99-99\n",
    "b04-int": 'a: !!int ""\n',
    "b04-bool": "a: !!bool x\n",
    "b04-timestamp": "a: !!timestamp x\n",
    "b04-float": 'a: !!float ""\n',
    "b04-digits": "a: %s\n" % ("9" * 5000),
    "b04-digits-among-others": "a: x\nb: %s\n" % ("9" * 5000),
    "b04-a-million-digits": "a: %s\n" % ("9" * 10**6),
    "b04-a-million-digits-among-others": "a: x\nb: %s\n" % ("9" * 10**6),
    "b04-sexagesimal": "a: x\nb: 1%s\n" % (":59" * 10000),
    "b06-two-documents": "a: 1\n---\nb: 2\n",
    "b06-duplicate": "a: 1\na: 2\n",
    "b06-nul": "a: x\0\n",
    "b06-escape": "a: \x1b[2J\n",
    "b06-list": "- a\n",
    "b06-scalar": "x\n",
    "b06-empty": "",
    "b06-blank": "\n\n",
    "b06-comment": "# nothing\n",
    "b06-tab": "a:\n\t- b\n",
    "b06-unhashable": "? {a: b}\n: c\n",
    "b06-unknown-tag": "a: !mine x\n",
}


@pytest.mark.usefixtures("any_loader")
@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_hostile_meta_yaml_is_reported_in_no_time(tmp_path, monkeypatch, name):
    """B01, B02, B03, B04, B06, and rule Y4."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "meta.yaml").write_text(HOSTILE[name], encoding="utf-8")
    start = time.process_time()
    with pytest.raises(BrokenFileError) as caught:
        meta.read_meta(str(tmp_path / "meta.yaml"))
    assert time.process_time() - start < 5
    assert str(tmp_path / "meta.yaml") in str(caught.value)
    assert len(caught.value.reason) < 300
    assert os.listdir(str(tmp_path)) == ["meta.yaml"]


def depth_of(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return 1 + max(map(depth_of, inner), default=-1) if isinstance(value, (dict, list)) else 0


@given(
    st.recursive(
        st.just("x"),
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, min_size=1)
        ),
        max_leaves=12,
    ),
    st.sampled_from([False, None, True]),
)
def test_b02_the_nesting_is_never_thought_less_than_it_is(value, flow):
    """Rule Y4: the bound that protects the parser, whatever the style."""
    text = yaml.safe_dump(value, default_flow_style=flow)
    assert depth_of(value) <= foreign_meta._depth_bound(text) <= 2 * depth_of(value) + 3


def test_b03_twenty_lists_within_each_other_are_still_read():
    """Rule Y4: the bound is on what is hostile."""
    deep = "a:\n" + "".join("%s- - b:\n" % (" " * 6 * level) for level in range(8)) + " " * 48 + "- x\n"
    found = meta.decode(deep.encode(), "meta.yaml")
    for _ in range(8):
        found = next(iter(found.values()))[0][0]
    assert found == {"b": ["x"]}


@pytest.mark.parametrize(
    ("line", "most"), [(b"a: 1\n#", 64 * 1024), (b'name: "a"\nversion: "', 1024 * 1024)], ids=["foreign", "ours"]
)
def test_a_file_beyond_the_bound_of_its_form_is_refused(tmp_path, line, most):
    """Rule Y4: PyYAML takes a second for 64 KiB; our own form is read line by line, up to a mebibyte."""
    end = b'"\n' if line.endswith(b'"') else b"\n"
    path = tmp_path / "meta.yaml"
    path.write_bytes(line + b"x" * (most - len(line) - len(end)) + end)
    assert len(meta.read_meta(str(path))) > 0
    path.write_bytes(line + b"x" * (most - len(line) - len(end) + 1) + end)
    with pytest.raises(BrokenFileError, match="bytes"):
        meta.read_meta(str(path))


@pytest.mark.parametrize("values", [[1, True, 1.0], [0, False, 0.0, -0.0], ["1", 1], [["a"], {"a": "a"}, [1], [True]]])
def test_a_value_never_gets_the_text_of_another_that_equals_it(values):
    """Rule Y1: lines that were encoded before are kept, and so must not be taken for those of equal values."""
    for _ in range(2):
        for value in values:
            found = meta.decode(meta.encode({"x": value}), "meta.yaml")["x"]
            assert (type(found), repr(found)) == (type(value), repr(value))


def test_a_list_or_dict_that_has_changed_is_encoded_anew():
    """Rule Y1."""
    names, versions = ["python"], {"numpy": "1.0"}
    meta.encode({"command": names, "packages": versions})
    names.append("train.py")
    versions["numpy"] = "2.0"
    encoded = meta.encode({"command": names, "packages": versions})
    assert encoded == b'command: ["python", "train.py"]\npackages: {"numpy": "2.0"}\n'


def test_b02_a_line_of_dashes_is_refused_without_going_through_all_of_it(monkeypatch):
    """The bound of the depth is found before the end of a line that would take minutes."""
    monkeypatch.setattr(foreign_meta, "_MAX_BYTES", 1 << 21)
    with pytest.raises(BrokenFileError, match="deep"):
        meta.decode(b"- " * 1000000, "meta.yaml")


def test_a_missing_meta_yaml_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        meta.read_meta(str(tmp_path / "meta.yaml"))


# Fields


@pytest.mark.parametrize("number", [2, 99, -1, True, "1", 1.0, [1], None, {}])
def test_a_format_that_is_not_known_is_refused_with_advice(number):
    """Rule S5."""
    with pytest.raises(UnsupportedFormatError, match="pip install -U mini-mlflow") as caught:
        meta.check_format({"format": number}, "run/meta.yaml")
    assert (caught.value.path, caught.value.found) == ("run/meta.yaml", number)


def test_known_formats_pass():
    """Rule S5."""
    for fields in ({}, {"format": 0}, {"format": 1}):
        meta.check_format(fields, "run/meta.yaml")


@pytest.mark.parametrize(
    ("fields", "generation"), [({}, 0), ({"generation": 3}, 3), ({"generation": "3"}, 0), ({"generation": True}, 0)]
)
def test_a_generation_that_is_no_number_counts_as_the_first(fields, generation):
    """Rule W6."""
    assert meta.generation_of(fields) == generation


def test_h22_a_file_cut_at_any_byte_gives_whole_fields_or_is_reported():
    """Rule S4: what is read of it is what was written."""
    fields = {"format": 1, "run_id": "r", "name": "null", "end_time": None, "parent_run_id": None, "version": "1.0"}
    data = meta.encode(fields)
    reported = 0
    for size in range(1, len(data)):
        try:
            found = meta.decode(data[:size], "meta.yaml")
        except BrokenFileError:
            reported += 1
            continue
        assert found == {name: fields[name] for name in found}
    assert reported > len(data) // 2
