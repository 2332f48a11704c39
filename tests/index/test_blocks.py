"""Do the values of runs come back from their bodies as they went in?"""

import math
import random

import pytest
from made_entries import made_entry, made_state

from mini_mlflow.index import blocks
from mini_mlflow.index.blocks import LONG, MISSING, SIZE
from mini_mlflow.index.catalogue import Block, Directory, Experiment, Root
from mini_mlflow.index.entry import are_folders

VALUES = [
    [1, 2, 3],
    [0.5, -0.0, 1e308],
    [math.inf, -math.inf, 2.0],
    [1, 0.5, 2],
    [2**63 - 1, 1, -(2**63)],
    [10**400, 1.5],
    [True, False, 1],
    ["a", "", "\udcff\ud800 \0 ü \U0001f600"],
    [None, "x", None],
    [{"a": [1, {"b": None}]}, [], {}],
]


def same(values, others):
    return repr(values) == repr(others)  # which tells 1 from 1.0 and -0.0 from 0.0


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("start", [0, 3, 500])
def test_values_come_back_with_their_types(values, start):
    column = blocks.decode_column(blocks.encode_column({start + place: each for place, each in enumerate(values)}))
    assert same(column.values, [None] * start + values)
    assert column.mask == sum(1 << start + place for place in range(len(values)))


def test_nan_comes_back():
    column = blocks.decode_column(blocks.encode_column({1: math.nan, 2: 0.5}))
    assert column.values[0] is None
    assert math.isnan(column.values[1])


def test_what_a_run_has_as_null_is_told_from_what_it_has_not():
    column = blocks.decode_column(blocks.encode_column({0: None, 2: None}))
    assert (column.values, column.mask) == ([None, None, None], 0b101)


def test_a_long_value_only_leaves_a_mark():
    body = blocks.patch_column(b"", {0: "x" * 5000, 1: "y", 2: ["z" * 5000]})
    assert len(body) < 200
    assert blocks.decode_column(body) == (0b111, [None, "y", None], 0b101)
    assert blocks.decode_column(blocks.patch_column(body, {1: "w"})) == (0b111, [None, "w", None], 0b101)


@pytest.mark.parametrize(
    ("blocks_of_values", "is_joined"),
    [
        ([[0.5, -0.0], [math.inf, 1e308, math.nan], [2.0] * SIZE], True),
        ([[1, -(2**61)], [3]], True),
        ([[0.5], [1]], False),  # of two sorts
        ([[1], [10**400]], False),
        ([["a"], ["b"]], False),
        ([[0.5, MISSING, 1.5], [2.5]], False),
        ([[0.5, MISSING], [2.5]], False),
    ],
)
def test_numbers_of_many_blocks_come_at_once_where_all_places_have_one(blocks_of_values, is_joined):
    bodies = [
        blocks.encode_column({place: each for place, each in enumerate(values) if each is not MISSING})
        for values in blocks_of_values
    ]
    joined = blocks.join_numbers(bodies, [len(values) for values in blocks_of_values])
    assert (joined is not None) is is_joined
    if joined is not None:
        assert same(joined, [value for body in bodies for value in blocks.decode_column(body).values])


@pytest.mark.parametrize("seed", range(20))
def test_changes_one_by_one_come_to_the_same_as_all_at_once(seed):
    chance = random.Random(seed)
    sorts = [lambda: chance.randrange(100), chance.random, lambda: "text", lambda: 2**62 + chance.randrange(2**63)]
    wanted, body = {}, b""
    for _ in range(300):
        place = chance.randrange(SIZE if seed % 2 else 9)
        value = MISSING if chance.random() < 0.4 else chance.choice(sorts[: 1 + seed % 4])()
        body = blocks.patch_column(body, {place: value})
        if value is MISSING:
            wanted.pop(place, None)
        else:
            wanted[place] = value
        assert bool(body) == bool(wanted)
    if wanted:
        column = blocks.decode_column(body)
        assert same(
            {place: column.values[place] for place in blocks.places_of(column.mask)}, dict(sorted(wanted.items()))
        )


def test_the_empty_change_of_nothing_is_nothing():
    assert blocks.patch_column(b"", {5: MISSING}) == b""
    assert blocks.encode_column({0: LONG})[:1] == b"j"


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [(1, 1, True), (1, 1.0, False), (1, True, False), (0.0, -0.0, False), (math.nan, math.nan, True), ("a", "a", True),
     ([1], [1.0], False), ({"a": 1}, {"a": 1}, True), (None, None, True), (None, 0, False)],
)  # fmt: skip
def test_values_are_the_same_only_with_their_types(one, other, is_same):
    assert blocks.is_same(one, other) is is_same


def test_a_sound_body_of_another_place_is_told_apart():
    body = blocks.encode_column({0: 1})
    sums = {
        blocks.checksum(body, number, kind, key) for number in (1, 2) for kind in ("params", "tags") for key in "ab"
    }
    assert len(sums) == 8
    assert blocks.row_checksum(body, 1) != blocks.row_checksum(body, 2)


@pytest.mark.parametrize(
    "given",
    [{}, {"is_live": True}, {"is_deep": True}, {"is_provisional": True}, {"deep": b""}, {"shallow": bytes(300)}],
)
def test_a_state_comes_back(given):
    state = made_state(5, **given)
    assert blocks.decode_state(blocks.encode_state(state)) == state


def test_a_document_comes_back():
    entry = made_entry(3, problems=[("a/b.json", "it is empty")], params={"a\udcff": [1, {"b": 0.1}], "n": None})
    assert blocks.decode_document(blocks.encode_document(entry)) == (*entry[3:], entry.name)


def test_the_catalogue_comes_back():
    root = Root()
    root.blocks = {1: Block("0", "active", 3, 123), 7: Block("a\udcff", "deleted", 512, 2**32 - 1)}
    root.experiments, root.cursor = {"0": Experiment(b"\0\xff", True)}, 700
    again = Root.decode(root.encode())
    assert vars(again) == vars(root)
    directory = Directory()
    directory.occupied, directory.columns = 1 << 511 | 5, {"params": {"lr\udcff": 9}}
    assert vars(Directory.decode(directory.encode())) == vars(directory)


@pytest.mark.parametrize("name", ["../../x", "..", "", ".", "a/b", "/etc", "a\0b"])
def test_g05_a_name_that_leads_elsewhere_is_refused_though_its_bytes_are_sound(name):
    root = Root()
    root.blocks = {1: Block(name, "active", 3, 123)}
    with pytest.raises(ValueError, match="no experiment"):
        Root.decode(root.encode())
    root = Root()
    root.experiments = {name: Experiment(b"", False)}
    with pytest.raises(ValueError, match="is none"):
        Root.decode(root.encode())
    assert not are_folders([name])
    assert not are_folders(["a", name, "b"])
    assert are_folders(["a", "...", ".b", "c\udcff"])


def test_a_root_with_a_stage_that_there_is_not_is_refused():
    root = Root()
    root.blocks = {1: Block("0", "<script>", 3, 123)}
    with pytest.raises(ValueError, match="no experiment"):
        Root.decode(root.encode())


def test_g05_a_root_with_any_byte_changed_is_refused():
    root = Root()
    root.blocks, root.experiments = {1: Block("0", "active", 3, 123)}, {"0": Experiment(b"\1\2", False)}
    body = root.encode()
    for place in range(len(body)):
        changed = bytearray(body)
        changed[place] ^= 1
        with pytest.raises(ValueError, match="damaged"):
            Root.decode(bytes(changed))
