"""How a process comes to write into a run: as its creator, its heir, or beside its owner."""

import os
import shutil

import pytest
from forged_owners import FOREIGN_BOOT, forge, record_in
from opened_run import FIELDS, Store

from mini_mlflow.store import machine, opening, reader

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="needs flock and boot ids")


@pytest.fixture
def store(tmp_path):
    store = Store(str(tmp_path / "mlruns"))
    yield store
    for writer in store.opened:
        writer.release()


@pytest.fixture
def is_local(monkeypatch):
    def say(answer):
        monkeypatch.setattr(machine, "is_local_device", lambda device: answer)

    say(True)
    return say


@pytest.fixture
def dead(store, is_local):
    """A run whose owner logged two values and died."""
    opened = store.open()
    store.log(opened, 0.5)
    store.log(opened, 0.25)
    opened.writer.release()
    return store


def ended(store):
    """Let the run be one that ended in good order."""
    opened = store.open()
    store.log(opened, 0.5)
    opened.writer.close(status="FINISHED", end_time="2026-11-24T10:00:00.000000Z")


def test_the_first_creates_the_run_and_owns_its_own_folder(store):
    """Rules W2 and W6."""
    opened = store.open()
    assert opened.role == opening.CREATED
    assert opened.writer.meta_folder == store.folder
    assert record_in(store.folder)["generation"] == 0
    assert store.fields() == FIELDS
    assert store.shares() == []


def test_the_second_joins_and_makes_its_share_when_its_first_value_comes(store):
    """Rule W7."""
    store.open()
    joined = store.open()
    assert joined.role == opening.JOINED
    assert joined.writer.meta_folder == ""
    assert store.shares() == []
    before = store.main_files()
    store.log(joined, 0.5)
    assert store.main_files() == before
    assert sorted(os.listdir(store.share())) == ["metrics", "owner.json"]
    assert record_in(store.share())["generation"] == 0
    host, pid, random = os.path.basename(store.share()).rsplit("-", 2)
    assert host
    assert int(pid) == os.getpid()
    assert len(random) == 8
    assert int(random, 16) >= 0


def test_a_joiner_counts_its_own_steps_from_0(store):
    """Rule W9."""
    creator = store.open()
    for value in (1.0, 2.0, 3.0):
        store.log(creator, value)
    joiner = store.open()
    store.log(joiner, 4.0)
    store.log(joiner, 5.0)
    rows = reader.read_history(store.folder, "loss", [])
    assert [(row.step, row.value) for row in rows] == [(0, 1.0), (0, 4.0), (1, 2.0), (1, 5.0), (2, 3.0)]


def test_on_the_same_machine_the_run_of_a_dead_owner_is_resumed_in_its_own_folder(dead):
    """Rules W4 (a), W5 and W6."""
    inode = os.stat(os.path.join(dead.folder, "owner.json")).st_ino
    opened = dead.open()
    assert opened.role == opening.RESUMED
    assert opened.writer.meta_folder == dead.folder
    assert record_in(dead.folder)["generation"] == 1
    assert os.stat(os.path.join(dead.folder, "owner.json")).st_ino == inode
    assert dead.fields() == dict(FIELDS, generation=1)
    dead.log(opened, 0.125)
    assert dead.shares() == []
    assert dead.values() == [0.5, 0.25, 0.125]


def test_a_resume_goes_on_after_the_greatest_step_of_any_share(dead):
    """Rule W9."""
    first = dead.open()
    joiner = dead.open()
    dead.log(joiner, 1.0, 41)
    first.writer.release()
    joiner.writer.release()
    opened = dead.open()
    dead.log(opened, 2.0)
    assert reader.read_history(dead.folder, "loss", [])[-1][::2] == (42, 2.0)


def test_each_resume_gets_the_next_generation(dead):
    """Rule W6."""
    for generation in (1, 2, 3):
        dead.open().writer.release()
        assert record_in(dead.folder)["generation"] == dead.fields()["generation"] == generation


def test_a_resumed_run_runs_again(store):
    ended(store)
    assert store.fields()["status"] == "FINISHED"
    store.open()
    assert store.fields()["status"] == "RUNNING"
    assert store.fields()["end_time"] is None
    assert store.fields()["start_time"] == FIELDS["start_time"]


@pytest.mark.parametrize("changes", [{"boot_id": FOREIGN_BOOT}, {"inode": 1}, {"is_locked": False}])
@pytest.mark.parametrize("local", [True, False])
def test_while_the_heartbeat_of_another_machine_is_fresh_one_joins(dead, is_local, changes, local):
    """Rules L2 and W7."""
    is_local(local)
    forge(dead.folder, **changes)
    before = dead.main_files()
    assert dead.open().role == opening.JOINED
    assert dead.main_files() == before


def test_on_a_local_disk_a_long_silent_owner_of_another_boot_is_succeeded_in_place(dead, is_local):
    """Rule W4 (b)."""
    forge(dead.folder, boot_id=FOREIGN_BOOT, age_s=610)
    opened = dead.open()
    assert opened.role == opening.RESUMED
    assert opened.writer.meta_folder == dead.folder


def test_on_a_shared_disk_a_long_silent_owner_is_succeeded_in_a_share_of_its_own(dead, is_local):
    """Rules W5 and W6."""
    is_local(False)
    forge(dead.folder, boot_id=FOREIGN_BOOT, age_s=610)
    before = dead.main_files()
    opened = dead.open()
    assert opened.role == opening.RESUMED
    assert opened.writer.meta_folder == dead.share()
    assert record_in(dead.share())["generation"] == 1
    assert dead.fields(dead.share()) == dict(FIELDS, generation=1)
    dead.log(opened, 0.125)
    assert dead.main_files() == before
    assert dead.values() == [0.5, 0.25, 0.125]


def test_a_second_resume_on_another_machine_is_one_generation_higher(dead, is_local):
    """Rules W5 and W6: the run's own folder is not of the greatest generation any more."""
    is_local(False)
    forge(dead.folder, boot_id=FOREIGN_BOOT, age_s=610)
    dead.open().writer.release()
    first = dead.share()
    forge(dead.folder, age_s=610, boot_id=machine.boot_id("x"), inode=os.stat(dead.folder + "/owner.json").st_ino)
    before = dead.main_files()
    opened = dead.open()
    assert opened.role == opening.RESUMED
    assert opened.writer.meta_folder not in (dead.folder, first)
    assert record_in(opened.writer.meta_folder)["generation"] == 2
    assert dead.main_files() == before


def test_beside_an_heir_that_lives_in_a_share_one_joins(dead, is_local):
    """Rule W7: the owner of the greatest generation is the run's."""
    is_local(False)
    forge(dead.folder, boot_id=FOREIGN_BOOT, age_s=610)
    dead.open()
    joined = dead.open()
    assert joined.role == opening.JOINED
    dead.log(joined, 9.0)
    assert sorted(record_in(os.path.join(dead.folder, "writers", name))["generation"] for name in dead.shares()) == [
        1,
        1,
    ]


def test_a_joiner_that_lives_does_not_keep_its_run_alive(store, is_local):
    creator = store.open()
    joiner = store.open()
    store.log(joiner, 1.0)
    creator.writer.release()
    assert store.open().role == opening.RESUMED


def test_a_copy_of_a_store_is_resumed_without_touching_what_was_copied(dead, tmp_path, is_local):
    """Rules W4 and W5: cp -a keeps the record, not the file."""
    is_local(False)
    forge(dead.folder, age_s=610)
    shutil.copytree(dead.root, str(tmp_path / "copy"))
    copy = Store(str(tmp_path / "copy"))
    before = copy.main_files()
    opened = copy.open()
    copy.opened[0].release()
    assert opened.role == opening.RESUMED
    assert copy.main_files() == before
    assert copy.fields(copy.share())["generation"] == 1


def test_a_run_that_has_ended_is_resumed_elsewhere_at_once(store, is_local):
    """A heartbeat of ten minutes ago says nothing about an owner who wrote that the run has ended."""
    ended(store)
    is_local(False)
    forge(store.folder, boot_id=FOREIGN_BOOT)
    opened = store.open()
    assert opened.role == opening.RESUMED
    assert opened.writer.meta_folder == store.share()


def test_a_run_that_has_ended_and_was_opened_again_elsewhere_is_joined(store, is_local):
    """The owner is newer than the meta.yaml that says FINISHED: it is just about to write the next one."""
    ended(store)
    is_local(False)
    forge(store.folder, boot_id=FOREIGN_BOOT, generation=1)
    assert store.open().role == opening.JOINED


def test_an_owner_json_with_a_backup_is_left_and_the_run_resumed_in_a_share(dead):
    """Rule W4 and attack H12."""
    os.link(os.path.join(dead.folder, "owner.json"), os.path.join(dead.root, "backup"))
    before = dead.main_files()
    opened = dead.open()
    assert opened.role == opening.RESUMED
    assert opened.writer.meta_folder == dead.share()
    assert dead.main_files() == before


@pytest.mark.parametrize("spoil", [os.unlink, lambda path: os.truncate(path, 0), lambda path: os.truncate(path, 40)])
def test_a_run_without_a_readable_owner_json_is_resumed_in_a_share(dead, spoil):
    """Rules W4 and W5; an empty file is what a power cut may leave (H13)."""
    spoil(os.path.join(dead.folder, "owner.json"))
    before = dead.main_files()
    opened = dead.open()
    assert opened.role == opening.RESUMED
    assert opened.writer.meta_folder == dead.share()
    assert record_in(dead.share())["generation"] == 1
    assert dead.main_files() == before


def test_where_the_creator_died_before_its_meta_yaml_the_next_one_creates_the_run(dead):
    """Rule W4 (a)."""
    os.unlink(os.path.join(dead.folder, "meta.yaml"))
    opened = dead.open()
    assert opened.writer.meta_folder == dead.folder
    assert dead.fields() == FIELDS


def test_where_the_creator_vanished_elsewhere_before_its_meta_yaml_the_run_is_opened_in_a_share(dead, is_local):
    """Rule W5: in every other case."""
    os.unlink(os.path.join(dead.folder, "meta.yaml"))
    is_local(False)
    forge(dead.folder, boot_id=FOREIGN_BOOT, age_s=610)
    opened = dead.open()
    assert opened.role == opening.RESUMED
    assert opened.writer.meta_folder == dead.share()
    assert dead.fields(dead.share()) == dict(FIELDS, generation=1)
