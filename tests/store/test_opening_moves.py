"""Whoever opens a run that is on its way to the trash writes into none that is not in its place."""

import os

import pytest
from forged_owners import can_lock
from opened_run import Store

from mini_mlflow.errors import RunNotFoundError
from mini_mlflow.store import amending, locks, opening, owner, trash, unowned
from mini_mlflow.store.descriptors import DescriptorPool

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows locks no folder, and moves none that is open")


@pytest.fixture
def store(tmp_path):
    store = Store(str(tmp_path / "mlruns"))
    yield store
    for writer in store.opened:
        writer.release()


@pytest.fixture
def mover(store, monkeypatch):
    mover = Mover(store, monkeypatch)
    yield mover
    mover.unlock()


class Mover:
    """One who deletes a run: locks its folder, moves it, and perhaps moves it back before the lock goes."""

    def __init__(self, store, monkeypatch):
        self.folder = store.folder
        self.away = store.folder + ".away"
        self.descriptor = None
        self._monkeypatch = monkeypatch

    def lock(self):
        self.descriptor = os.open(self.folder, os.O_RDONLY)
        assert locks.try_lock(self.descriptor)

    def unlock(self):
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None

    def moves_when(self, module, name, *, comes_back, is_followed=False):
        """Begin when somebody has signed, which *name* does; finish when that one waits for the lock of the folder."""
        sign = getattr(module, name)

        def signed(*arguments, **options):
            claim = sign(*arguments, **options)
            if claim is not None and self.descriptor is None and not os.path.exists(self.away):
                self.lock()
                os.rename(self.folder, self.away)
                if comes_back:
                    os.rename(self.away, self.folder)
                    return claim
                if is_followed:
                    os.mkdir(self.folder)
                self.unlock()
            return claim

        def finish(_):
            self.unlock()

        self._monkeypatch.setattr(module, name, signed)
        self._monkeypatch.setattr(opening, "sleep", finish)


def make_dead(store, kind):
    """Leave a run of which somebody goes on in the way of that kind, and return who signs then."""
    if kind == "creator":
        return opening.owner, "claim_new"
    opened = store.open()
    store.log(opened, -1)
    opened.writer.release()
    if kind == "successor":
        return opening.owner, "take_over"
    os.unlink(os.path.join(store.folder, "owner.json"))
    return opening, "make_heirs_home"


KINDS = pytest.mark.parametrize("kind", ["creator", "successor", "heir"])


@pytest.mark.parametrize("is_followed", [False, True])
@KINDS
def test_who_signs_in_a_folder_that_has_gone_opens_the_run_anew_in_its_place(store, mover, kind, is_followed):
    """Rule T3: also where another folder has that place by now."""
    mover.moves_when(*make_dead(store, kind), comes_back=False, is_followed=is_followed)
    opened = store.open()
    assert opened.role == opening.CREATED
    store.log(opened, 0.5)
    assert store.values() == [0.5]
    gone = [os.path.join(path, "owner.json") for path, _, names in os.walk(mover.away) if "owner.json" in names]
    assert gone
    assert all(map(can_lock, gone))


@KINDS
def test_who_signs_in_a_folder_that_comes_back_waits_for_it_and_goes_on(store, mover, kind):
    """Rule T3."""
    before = [] if kind == "creator" else [-1]
    mover.moves_when(*make_dead(store, kind), comes_back=True)
    opened = store.open()
    assert opened.role == (opening.CREATED if kind == "creator" else opening.RESUMED)
    assert mover.descriptor is None  # it has waited
    store.log(opened, 0.5)
    assert store.values() == [*before, 0.5]


def test_who_amends_a_run_that_has_gone_does_so_in_its_place(store, mover):
    mover.moves_when(*make_dead(store, "successor"), comes_back=False)
    opened = amending.amend_run(store.folder, DescriptorPool())
    store.opened.append(opened.writer)
    assert opened.role == opening.CREATED
    assert owner.read_owner(store.folder) is not None


def test_one_who_has_stopped_in_the_middle_of_a_deletion_keeps_nobody_out_for_long(store, mover, monkeypatch):
    monkeypatch.setattr(opening, "_PATIENCE_S", 0.01)
    os.makedirs(store.folder)
    mover.lock()
    assert store.open().role == opening.CREATED


def test_who_signs_while_a_run_is_deleted_is_seen_or_waits(store, monkeypatch):
    """Rule T3: the folder is locked before anybody is looked for, until the run is back where it was."""
    store.open().writer.release()
    look, locked = unowned.refuse_if_written, []

    def looked(*arguments, **options):
        places = (store.folder, os.path.join(store.root, "0", ".trash", "r"))
        descriptor = os.open(next(filter(os.path.exists, places)), os.O_RDONLY)
        locked.append(locks.try_lock(descriptor, shared=True) is False)
        os.close(descriptor)
        look(*arguments, **options)

    monkeypatch.setattr(unowned, "refuse_if_written", looked)
    trash.delete_run(store.root, 0, "r")
    assert locked == [True, True]


def test_of_two_who_delete_a_run_one_waits_for_the_other(store, mover, monkeypatch):
    store.open().writer.release()
    mover.lock()

    def finish(_):
        os.rename(mover.folder, mover.away)
        mover.unlock()

    monkeypatch.setattr(unowned, "sleep", finish)
    with pytest.raises(RunNotFoundError):
        trash.delete_run(store.root, 0, "r")
    assert os.path.isdir(mover.away)


@pytest.mark.parametrize("is_back", [False, True])
def test_a_run_that_another_moves_at_the_same_moment_is_told_of_as_it_stands_then(store, monkeypatch, is_back):
    """Rules T1 and T2."""
    store.open().writer.release()
    moved = trash.delete_run(store.root, 0, "r")
    rename, others = os.rename, []

    def another_first(source, target):
        if not others:
            others.append(rename(source, target))
            if is_back:
                rename(target, source)
                raise FileNotFoundError(2, "No such file or directory", source)
        rename(source, target)

    monkeypatch.setattr(os, "rename", another_first)
    if is_back:
        trash.restore_run(store.root, 0, "r")
        assert os.path.isdir(store.folder)
    else:
        with pytest.raises(RunNotFoundError):
            trash.restore_run(store.root, 0, "r")
    assert not os.path.exists(moved)
