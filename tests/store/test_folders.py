"""Which folders of a run hold documents, and which file there holds a key."""

import os

import pytest

from mini_mlflow import layout
from mini_mlflow.errors import BrokenFileError, UnsupportedFormatError
from mini_mlflow.records import Metric
from mini_mlflow.store import folders, metric_file, owner


@pytest.fixture
def run(tmp_path):
    return str(tmp_path)


def put(*parts, text=""):
    path = os.path.join(*parts)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def metric(key, *steps):
    rows = ",".join("\n[%d, 1000, 0.5]" % step for step in steps)
    closing = '"step": %d, "timestamp": 1000, "value": 0.5}\n' % steps[-1]
    return '{"key": "%s", "history": [%s\n], %s' % (key, rows, closing)


def param(key):
    return '{"key": "%s", "value": 1, "timestamp": 1000}\n' % key


def test_the_parts_of_a_run_are_its_own_folder_and_then_its_writers_by_name(run):
    """Rules S1 and W1."""
    for name in ("b-2-00", "a-1-00"):
        os.makedirs(os.path.join(run, "writers", name))
    assert folders.list_parts(run) == [
        ("", run),
        ("a-1-00", os.path.join(run, "writers", "a-1-00")),
        ("b-2-00", os.path.join(run, "writers", "b-2-00")),
    ]


def test_h22_junk_among_the_writers_is_no_part(run):
    """Rule S4."""
    put(run, "writers", ".DS_Store")
    put(run, "writers", "a~")
    os.makedirs(os.path.join(run, "writers", ".hidden"))
    assert folders.list_parts(run) == [("", run)]


@pytest.mark.parametrize("make", [lambda path: None, put], ids=["missing", "a file"])
def test_a_run_without_a_folder_of_writers_has_one_part(run, make):
    make(os.path.join(run, "writers"))
    assert folders.list_parts(run) == [("", run)]


def test_h22_files_that_are_no_documents_are_ignored(run):
    """Rule S4."""
    for name in (
        ".tmp-0011223344556677",
        "._lr.json",
        ".DS_Store",
        "lr.json~",
        "lr",
        ".json",
        "lr.json.bak",
        ".nfs0001",
    ):
        put(run, "params", name)
    put(run, "params", "lr.json", text=param("lr"))
    assert list(folders.iter_documents(run, layout.PARAMS)) == [("lr", os.path.join(run, "params", "lr.json"))]


def test_a_folder_that_is_missing_has_no_documents_and_one_that_cannot_be_listed_says_so(run):
    assert list(folders.iter_documents(run, layout.PARAMS)) == []
    put(run, "metrics")
    with pytest.raises(NotADirectoryError):
        list(folders.iter_documents(run, layout.METRICS))


def test_a_document_says_which_key_it_holds(run):
    """Rule K6."""
    assert folders.key_in(put(run, "params", "a.json", text=param("lr")), layout.PARAMS) == "lr"
    assert folders.key_in(put(run, "metrics", "a.json", text=metric("loss", 0)), layout.METRICS) == "loss"


@pytest.mark.parametrize("text", ['{"value": 1, "timestamp": "2024-01-01T00:00:00Z"}', "[1]", '{"key": 5}', "null"])
def test_a_document_that_names_no_key_says_none(run, text):
    """Rule F1."""
    assert folders.key_in(put(run, "params", "a.json", text=text), layout.PARAMS) is None


@pytest.mark.parametrize("key", ["lr", "val/acc", "CON", "x" * 300, ".hidden", "a%2Fb", "a:b"])
def test_a_key_is_found_at_its_stem(run, key):
    """Rules K2 to K4."""
    for stem in (layout.plain_stem(key), layout.hashed_stem(key)):
        path = put(run, "params", stem + ".json", text=param(key))
        assert folders.find_documents(run, layout.PARAMS, key) == [path]
        os.unlink(path)
        assert folders.find_documents(run, layout.PARAMS, key) == []


def test_a_key_whose_place_holds_another_is_found_beside_it(run):
    """Rule K5."""
    put(run, "params", "lr.json", text=param("LR"))
    path = put(run, "params", layout.hashed_stem("lr") + ".json", text=param("lr"))
    assert folders.find_documents(run, layout.PARAMS, "lr") == [path]


def test_a_key_of_format_0_is_found_by_its_bare_name(run):
    """Rule F1."""
    path = put(run, "params", "con.json", text='{"value": 1}')
    assert folders.find_documents(run, layout.PARAMS, "con") == [path]


@pytest.mark.parametrize("key", ["../../etc/passwd", "a/b", "a\0b", "\ud800", "", "..", "x" * 5000])
def test_a_key_that_is_no_file_name_is_not_found_and_leads_nowhere(run, key):
    put(run, "a", "b.json", text='{"value": 1}')
    assert folders.find_documents(run, "a", key) == []


def test_the_greatest_step_is_that_of_any_share(run):
    """Rule W9."""
    assert folders.greatest_step(run, "loss") is None
    put(run, "metrics", "loss.json", text=metric("loss", 7, 3))
    put(run, "writers", "b", "metrics", "loss.json", text=metric("loss", 2, 12, 4))
    put(run, "writers", "c", "metrics", "loss.json", text="junk")
    assert folders.greatest_step(run, "loss") == 12


def test_a_run_is_what_the_meta_yaml_of_the_greatest_generation_says(run):
    """Rule L4."""
    put(run, "meta.yaml", text="format: 1\ngeneration: 1\nname: a\n")
    put(run, "writers", "b", "meta.yaml", text="format: 1\ngeneration: 3\nname: b\n")
    put(run, "writers", "c", "meta.yaml", text="format: 1\ngeneration: 2\nname: c\n")
    fields, home = folders.read_meta(run)
    assert fields["name"] == "b"
    assert home == os.path.join(run, "writers", "b")


def test_of_two_of_one_generation_the_later_written_counts(run):
    put(run, "meta.yaml", text="format: 1\ngeneration: 1\nname: a\n")
    late = put(run, "writers", "b", "meta.yaml", text="format: 1\ngeneration: 1\nname: b\n")
    put(run, "writers", "c", "meta.yaml", text="format: 1\ngeneration: 1\nname: c\n")
    os.utime(late, (2**32, 2**32))
    assert folders.read_meta(run)[0]["name"] == "b"


def test_a_generation_below_0_counts_as_0(run):
    put(run, "meta.yaml", text="format: 1\ngeneration: -7\nname: a\n")
    assert folders.read_meta(run)[0]["name"] == "a"


def test_a_run_without_meta_yaml_says_nothing(run):
    assert folders.read_meta(run) == ({}, run)


def test_a_meta_yaml_that_cannot_be_read_is_an_error_unless_somebody_takes_the_report(run):
    """Rule S4."""
    put(run, "meta.yaml", text="format: 1\ngeneration: 1\nname: a\n")
    bad = put(run, "writers", "b", "meta.yaml", text="[")
    with pytest.raises(BrokenFileError):
        folders.read_meta(run)
    reports = []
    fields, home = folders.read_meta(run, lambda path, error: reports.append((path, type(error))))
    assert (fields["name"], home) == ("a", run)
    assert reports == [(bad, BrokenFileError)]


def test_a_newer_format_in_any_share_is_refused(run):
    """Rule S5."""
    put(run, "meta.yaml", text="format: 1\ngeneration: 5\n")
    put(run, "writers", "b", "meta.yaml", text="format: 2\ngeneration: 1\n")
    with pytest.raises(UnsupportedFormatError):
        folders.read_meta(run, lambda path, error: None)


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps locked files from being read")
def test_the_generations_are_those_of_the_owners_that_can_be_read(run):
    """Rule W6."""
    owner.claim_new(run, 1).release()
    for name, generation in (("a", 4), ("b", 2)):
        os.makedirs(os.path.join(run, "writers", name))
        owner.claim_new(os.path.join(run, "writers", name), generation).release()
    put(run, "writers", "c", "owner.json", text="junk")
    os.makedirs(os.path.join(run, "writers", "d"))
    assert [(generation, part.name) for generation, part in folders.generations(run)] == [(1, ""), (4, "a"), (2, "b")]


def test_a18_a_document_is_found_under_the_name_that_a_disk_made_of_its_own(tmp_path):
    """Rule K6: HFS+ decomposes letters with marks."""
    folder = tmp_path / "metrics"
    folder.mkdir()
    row = Metric(0, 1, 0.5)
    (folder / "caf\u0065\u0301.json").write_bytes(metric_file.encode("caf\u00e9", [row]))
    found = folders.find_documents(str(tmp_path), "metrics", "caf\u00e9")
    assert found == [str(folder / "caf\u0065\u0301.json")]
    assert folders.find_documents(str(tmp_path), "metrics", "caf\u00e8") == []
