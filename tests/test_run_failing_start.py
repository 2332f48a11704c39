"""A run that could not be started lets go of what it had already taken."""

import os

import pytest

from mini_mlflow import Run, active, endings
from mini_mlflow.store import documents, meta, unowned


@pytest.fixture
def folder(tmp_path):
    with Run(run_id="r", name="before", runs_dir=tmp_path):
        pass
    return os.path.join(str(tmp_path), "0", "r")


def test_a_resume_that_the_disk_refuses_keeps_nobody_from_the_run_while_the_process_lives(
    folder, tmp_path, monkeypatch
):
    """Rule L1: also where somebody keeps the error, and with it all that was there when it came."""

    def refuse(fields):
        if fields["name"] == "after":
            raise OSError(28, os.strerror(28))
        return encode(fields)

    encode = meta.encode
    monkeypatch.setattr(meta, "encode", refuse)
    with pytest.raises(OSError, match=os.strerror(28)) as kept:
        Run(run_id="r", name="after", runs_dir=tmp_path)
    monkeypatch.undo()
    assert kept.value.__traceback__ is not None
    assert unowned.find_writer(folder) is None
    assert active.live_runs() == []
    with Run(run_id="r", name="after", runs_dir=tmp_path) as run:
        assert run.resume_count == 2
    assert b"after" in documents.read(os.path.join(folder, "meta.yaml"))


def test_a_start_that_ctrl_c_breaks_off_keeps_nobody_from_the_run(folder, tmp_path, monkeypatch):
    see_to = endings.see_to

    def broken_off(run):
        see_to(run)
        raise KeyboardInterrupt

    monkeypatch.setattr(endings, "see_to", broken_off)
    with pytest.raises(KeyboardInterrupt) as kept:
        Run(run_id="r", runs_dir=tmp_path)
    assert kept.value.__traceback__ is not None
    assert unowned.find_writer(folder) is None
    assert active.live_runs() == []
