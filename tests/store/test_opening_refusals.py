"""Which runs cannot be opened, and which are changed without being opened: by name, with nothing touched."""

import json
import os

import pytest
from forged_owners import record_in
from opened_run import FIELDS, Store

from mini_mlflow.errors import BrokenFileError, UnsupportedFormatError
from mini_mlflow.store import amending, meta, opening, owner, reader
from mini_mlflow.store.descriptors import DescriptorPool

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="needs flock and boot ids")


@pytest.fixture
def store(tmp_path):
    store = Store(str(tmp_path / "mlruns"))
    yield store
    for writer in store.opened:
        writer.release()


@pytest.fixture
def dead(store):
    """A run whose owner logged two values and died."""
    opened = store.open()
    store.log(opened, 0.5)
    store.log(opened, 0.25)
    opened.writer.release()
    return store


def test_a_run_of_which_nothing_says_what_it_is_is_refused_by_its_path(dead):
    os.unlink(os.path.join(dead.folder, "meta.yaml"))
    os.truncate(os.path.join(dead.folder, "owner.json"), 40)
    with pytest.raises(BrokenFileError, match=r"owner\.json"):
        dead.open()


@pytest.mark.parametrize("generation", ['"x"', "-5", "1.5", "null", "true"])
def test_a_generation_that_is_none_counts_as_0(dead, generation):
    path = os.path.join(dead.folder, "meta.yaml")
    with open(path, encoding="utf-8") as file:
        text = file.read().replace("generation: 0", "generation: " + generation)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    assert dead.open().role == opening.RESUMED
    assert dead.fields()["generation"] == 1


@pytest.mark.parametrize("text", ["{", "- a\n- b\n", "", "format: 1\nstatus: [\n"])
def test_a_run_whose_meta_yaml_cannot_be_read_is_refused_by_its_path(dead, text):
    with open(os.path.join(dead.folder, "meta.yaml"), "w", encoding="utf-8") as file:
        file.write(text)
    before = dead.main_files()
    with pytest.raises(BrokenFileError, match=r"meta\.yaml"):
        dead.open()
    assert dead.main_files() == before
    assert dead.shares() == []


@pytest.mark.parametrize("number", ["99", "2", "[1]", "-1", "1.5", '"1"', "true"])
def test_h23_a_run_of_a_newer_or_unknown_format_is_refused_by_name(dead, number):
    """Rule S5."""
    path = os.path.join(dead.folder, "meta.yaml")
    with open(path, encoding="utf-8") as file:
        text = file.read().replace("format: 1\n", "format: %s\n" % number)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    before = dead.main_files()
    with pytest.raises(UnsupportedFormatError, match=r"0/r/meta\.yaml.*[Uu]pdate") as caught:
        dead.open()
    assert caught.value.path == path
    assert dead.main_files() == before
    assert dead.shares() == []


def test_a_run_of_format_0_is_resumed_in_a_share_and_keeps_its_files(store):
    """Rules F2 and W5."""
    os.makedirs(os.path.join(store.folder, "metrics"))
    with open(os.path.join(store.folder, "meta.yaml"), "w", encoding="utf-8") as file:
        file.write("run_id: r\nname: old\nstatus: FINISHED\nstart_time: '2024-01-01T00:00:00Z'\nend_time: null\n")
    with open(os.path.join(store.folder, "metrics", "loss.json"), "w", encoding="utf-8") as file:
        json.dump({"value": 0.5, "timestamp": "2024-01-01T00:00:00Z"}, file)
    before = store.main_files()
    opened = store.open()
    assert opened.role == opening.RESUMED
    assert opened.writer.fields["name"] == "old"
    store.log(opened, 0.25)
    assert store.main_files() == before
    assert store.fields(store.share())["format"] == 1
    assert [(row.step, row.value) for row in reader.read_history(store.folder, "loss", [])] == [(0, 0.5), (1, 0.25)]


def test_a_run_that_cannot_be_created_leaves_no_owner(store, monkeypatch):
    def fail(fields):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(meta, "encode", fail)
    os.makedirs(store.folder)
    with pytest.raises(OSError, match="No space"):
        opening._create(store.folder, dict(FIELDS), DescriptorPool(), None)
    assert os.listdir(store.folder) == []


def test_a_writer_that_amends_a_run_leaves_it_as_unowned_as_it_was(store):
    opened = amending.amend_run(store.folder, DescriptorPool())
    assert opened.role == opening.CREATED
    opened.writer.withdraw()
    assert not os.path.exists(os.path.join(store.folder, "owner.json"))


def test_a_writer_that_amends_a_dead_run_keeps_its_generation(dead):
    dead.open().writer.release()
    opened = amending.amend_run(dead.folder, DescriptorPool())
    assert opened.role == opening.RESUMED
    opened.writer.release()
    assert record_in(dead.folder)["generation"] == 1
    assert owner.read_owner(dead.folder).pid == os.getpid()


def test_a_writer_that_amends_a_run_that_lives_joins_it(store):
    store.open()
    opened = amending.amend_run(store.folder, DescriptorPool())
    assert opened.role == opening.JOINED
    opened.writer.release()
