"""What breaks each rule of docs/format.md."""

import json
import os
import re
import shutil

from broken_store import change, content, write

from mini_mlflow import delete_run, packs
from mini_mlflow.check.findings import ERROR, WARNING

LEFTOVER = ".tmp-0123456789abcdef"


def meta(store):
    return store.path("meta.yaml")


def copy_of(path, name, change_of=lambda data: data):
    write(os.path.join(os.path.dirname(path), name), change_of(content(path)))


def move(path, name):
    os.rename(path, os.path.join(os.path.dirname(path), name))


def link(target, path):
    os.symlink(target, path)


def in_form_0(store):
    """Add a run as 0.1.0 wrote it."""
    folder = os.path.join(store.folder, "0", "old")
    os.makedirs(os.path.join(folder, "metrics"))
    write(os.path.join(folder, "meta.yaml"), "run_id: old\nstatus: FINISHED\n")
    return folder


def metric_of_0(store, text):
    write(os.path.join(in_form_0(store), "metrics", "acc.json"), text)


def experiment(store, number, **fields):
    """Add an experiment by hand."""
    folder = os.path.join(store.folder, number)
    os.mkdir(folder)
    known = {"format": 1, "experiment_id": int(number), "name": number, "creation_time": 5, "lifecycle_stage": "active"}
    known.update(fields)
    lines = ["%s: %s\n" % (key, json.dumps(value)) for key, value in known.items()]
    write(os.path.join(folder, "meta.yaml"), "".join(lines))
    return folder


def in_trash(store):
    delete_run("second", runs_dir=store.folder)
    return os.path.join(store.folder, "0", ".trash")


def owner(store, **changes):
    path = store.path("owner.json")
    fields = json.loads(content(path).decode())
    fields.update(changes)
    write(path, json.dumps(fields).ljust(2047) + "\n")
    return path


def in_future(path):
    os.utime(path, (2**33, 2**33))


def rows(*texts):
    body = ",".join("\n" + text for text in texts)
    return '{"key": "loss", "history": [%s\n], "step": 1, "timestamp": 5, "value": 0.5}\n' % body


def in_pack(store):
    """Pack both runs; return the archive."""
    return packs.pack(0, runs_dir=store.folder).packs[0]


def spoil(path, place):
    """Change one byte of a file."""
    data = bytearray(content(path))
    data[place] ^= 0xFF
    write(path, bytes(data))


def cut_pack(store):
    path = in_pack(store)
    write(path, content(path)[:-40])


def link_packs(store):
    folder = os.path.dirname(in_pack(store))
    move(folder, "p")
    link("p", folder)


def packed_and_there(store):
    """Let a run lie in a pack and as a folder."""
    copy = store.folder + "-copy"
    shutil.copytree(store.run, copy)
    in_pack(store)
    os.rename(copy, store.run)


# Rule, level, whether it is mended, and what breaks it.
BREAKS = [
    (
        "S1",
        WARNING,
        False,
        "a folder of params that is a link",
        lambda s: (move(s.path("params"), "p"), link("p", s.path("params"))),
    ),
    (
        "S1",
        ERROR,
        False,
        "a file in place of a folder",
        lambda s: (move(s.path("tags"), "t"), write(s.path("tags"), "")),
    ),
    ("S2", ERROR, False, "an experiment whose folder can be none", lambda s: move(os.path.join(s.folder, "0"), "a b")),
    ("S2", WARNING, True, "an experiment that calls itself otherwise", lambda s: experiment(s, "7", experiment_id=8)),
    (
        "S2",
        WARNING,
        False,
        "experiments that differ in case",
        lambda s: [os.makedirs(os.path.join(s.folder, n, "r", "params")) for n in ("Ab", "aB")],
    ),
    ("S3", WARNING, True, "a run that was copied", lambda s: move(s.run, "third")),
    ("S3", WARNING, False, "runs that differ in case", lambda s: move(s.run, "Second")),
    ("S3", WARNING, False, "a folder that is no legal id", lambda s: move(s.run, "a run")),
    ("S3", ERROR, False, "a folder that no function reaches", lambda s: move(s.run, "-rf")),
    ("S4", WARNING, False, "a run without meta.yaml", lambda s: os.unlink(meta(s))),
    ("S5", ERROR, False, "a newer format", lambda s: change(meta(s), "format: 1", "format: 99")),
    ("S5", ERROR, False, "a format that is no number", lambda s: change(meta(s), "format: 1", "format: [1]")),
    ("D1", ERROR, True, "an empty param", lambda s: write(s.path("params", "lr2.json"), "")),
    ("D1", ERROR, True, "a tag of NUL bytes", lambda s: write(s.path("tags", "t.json"), b"\0" * 40)),
    ("D1", ERROR, True, "an empty metric", lambda s: write(s.path("metrics", "m.json"), "")),
    ("D1", ERROR, False, "an empty meta.yaml", lambda s: write(meta(s), "")),
    ("D1", WARNING, True, "a temporary file beside params", lambda s: write(s.path("params", LEFTOVER), "x")),
    (
        "D1",
        WARNING,
        True,
        "a temporary file beside an experiment's meta.yaml",
        lambda s: write(os.path.join(s.folder, "0", LEFTOVER), "x"),
    ),
    ("D1", WARNING, True, "a temporary file in the store", lambda s: write(os.path.join(s.folder, LEFTOVER), "x")),
    ("D1", WARNING, True, "a second name of owner.json", lambda s: os.link(s.path("owner.json"), s.path(LEFTOVER))),
    ("D3", ERROR, False, "a param that is no JSON", lambda s: write(s.path("params", "lr.json"), '{"key": "lr", ')),
    (
        "D3",
        ERROR,
        False,
        "a param in latin-1",
        lambda s: write(s.path("params", "lr.json"), b'{"key": "lr", "value": "\xe4"}'),
    ),
    ("D3", ERROR, False, "a param without a value", lambda s: write(s.path("params", "lr.json"), '{"key": "lr"}\n')),
    (
        "D3",
        WARNING,
        False,
        "a timestamp that is none",
        lambda s: write(s.path("params", "x.json"), '{"key": "x", "value": 1, "timestamp": "now"}\n'),
    ),
    (
        "D3",
        WARNING,
        True,
        "no line break at the end",
        lambda s: write(s.path("params", "x.json"), '{"key": "x", "value": 1, "timestamp": 5}'),
    ),
    (
        "D4",
        ERROR,
        True,
        "a bare NaN",
        lambda s: write(s.path("params", "x.json"), '{"key": "x", "value": [NaN], "timestamp": 5}\n'),
    ),
    (
        "D4",
        WARNING,
        False,
        "a float that is none",
        lambda s: write(s.path("params", "x.json"), '{"key": "x", "value": "a", "type": "float", "timestamp": 5}\n'),
    ),
    ("K2", ERROR, True, "a file name in other case", lambda s: move(s.loss, "LOSS.json")),
    (
        "K3",
        ERROR,
        True,
        "a device's name that is not hashed",
        lambda s: copy_of(s.path("params", "lr.json"), "con.json", lambda d: d.replace(b'"lr"', b'"con"')),
    ),
    (
        "K4",
        ERROR,
        True,
        "a long name that is cut otherwise",
        lambda s: copy_of(
            s.path("params", "lr.json"),
            "%s.json" % ("x" * 200),
            lambda d: d.replace(b'"lr"', json.dumps("x" * 260).encode()),
        ),
    ),
    (
        "K5",
        WARNING,
        True,
        "names that differ in case",
        lambda s: copy_of(s.path("params", "lr.json"), "LR.json", lambda d: d.replace(b'"lr"', b'"LR"')),
    ),
    (
        "K6",
        ERROR,
        False,
        "a param without a key",
        lambda s: write(s.path("params", "x.json"), '{"value": 1, "timestamp": 5}\n'),
    ),
    (
        "K6",
        ERROR,
        False,
        "a metric without a key",
        lambda s: write(s.path("metrics", "x.json"), '{"history": [[0, 5, 1]]}'),
    ),
    ("K6", ERROR, True, "a file that was renamed", lambda s: move(s.loss, "val.json")),
    ("K6", ERROR, False, "a file that was copied", lambda s: copy_of(s.loss, "backup.json")),
    ("M1", ERROR, False, "a metric that is none", lambda s: write(s.path("metrics", "x.json"), "[]")),
    (
        "M1",
        ERROR,
        False,
        "a metric without rows",
        lambda s: write(s.path("metrics", "x.json"), '{"key": "x", "history": []}\n'),
    ),
    (
        "M1",
        WARNING,
        True,
        "a row with other blanks",
        lambda s: change(s.loss, "\n[3, 1000000000003, 4.5]", "\n[3,1000000000003,4.5  ]"),
    ),
    ("M3", WARNING, True, "a row across a page", lambda s: write(s.loss, re.sub(rb" +,", b",", content(s.loss)))),
    (
        "M4",
        ERROR,
        True,
        "no end behind the last row",
        lambda s: write(s.loss, content(s.loss)[: content(s.loss).rindex(b"\n]")] + b" " * 50),
    ),
    (
        "M5",
        ERROR,
        True,
        "an end that repeats another row",
        lambda s: write(
            s.loss,
            re.sub(
                rb'"step": 299, "timestamp": \d+, "value": [\d.]+',
                b'"step": 0, "timestamp": 1000000000000, "value": 0.0',
                content(s.loss),
            ),
        ),
    ),
    (
        "M7",
        ERROR,
        False,
        "a value that is no number",
        lambda s: write(s.path("metrics", "x.json"), rows("[0, 4, 1]", "[1, 5, true]").replace("loss", "x")),
    ),
    (
        "M7",
        ERROR,
        False,
        "a step beyond 64 bits",
        lambda s: write(s.path("metrics", "x.json"), rows("[%d, 4, 1]" % 2**63).replace("loss", "x")),
    ),
    (
        "M8",
        ERROR,
        True,
        "a row that is cut",
        lambda s: write(s.loss, content(s.loss)[: content(s.loss).rindex(b"\n[") + 8]),
    ),
    ("M8", ERROR, True, "something behind the end", lambda s: write(s.loss, content(s.loss) + b"garbage")),
    (
        "M8",
        ERROR,
        True,
        "a comma that is missing",
        lambda s: change(s.loss, "[5, 1000000000005, 7.5],", "[5, 1000000000005, 7.5]"),
    ),
    (
        "M8",
        ERROR,
        False,
        "rows of another form",
        lambda s: change(s.loss, "[5, 1000000000005, 7.5],", "[5, 1000000000005, x7],"),
    ),
    ("M8", ERROR, False, "no complete row", lambda s: write(s.loss, content(s.loss)[:40])),
    (
        "M9",
        ERROR,
        True,
        "NUL bytes at the end",
        lambda s: write(s.loss, content(s.loss)[: content(s.loss).rindex(b"\n]")] + b"\0" * 99),
    ),
    ("M9", ERROR, True, "NUL bytes in between", lambda s: change(s.loss, "\n[5, 1000000000005, 7.5]", "\0" * 24)),
    (
        "M10",
        WARNING,
        True,
        "an editor's form",
        lambda s: write(s.loss, json.dumps(json.loads(content(s.loss).decode()), indent=1)),
    ),
    (
        "M10",
        ERROR,
        True,
        "an editor's form behind our head",
        lambda s: write(s.loss, '{"key": "loss", "history": [\n[0, 1, 0.5],\n[1,2,3]\n]}\n'),
    ),
    ("Y1", WARNING, True, "a field as YAML has it", lambda s: change(meta(s), '"calm-otter"', "calm-otter")),
    ("Y1", WARNING, False, "a comment", lambda s: change(meta(s), "format: 1\n", "format: 1 # ours\n")),
    (
        "Y2",
        WARNING,
        True,
        "a character that YAML takes otherwise",
        lambda s: change(meta(s), '"calm-otter"', '"calm\u2028otter"'),
    ),
    ("Y3", ERROR, False, "a status that is none", lambda s: change(meta(s), '"FINISHED"', '"DONE"')),
    (
        "Y3",
        WARNING,
        False,
        "a start that is no time",
        lambda s: write(meta(s), re.sub(rb"start_time: .*", b'start_time: "today"', content(meta(s)))),
    ),
    (
        "Y3",
        WARNING,
        False,
        "no end though it has ended",
        lambda s: write(meta(s), re.sub(rb"\nend_time: .*", b"\nend_time: null", content(meta(s)))),
    ),
    (
        "Y3",
        WARNING,
        False,
        "an experiment that is neither there nor deleted",
        lambda s: experiment(s, "7", lifecycle_stage="gone"),
    ),
    ("Y3", ERROR, False, "an experiment whose name is none", lambda s: experiment(s, "7", name=[1])),
    ("Y4", ERROR, False, "a meta.yaml that is cut", lambda s: write(meta(s), content(meta(s))[:30])),
    (
        "Y4",
        ERROR,
        False,
        "YAML that makes objects",
        lambda s: write(meta(s), "!!python/object/apply:os.system [touch x]\n"),
    ),
    ("E1", WARNING, True, "a name that is not in NFC", lambda s: experiment(s, "7", name="cafe\u0301")),
    (
        "E3",
        WARNING,
        False,
        "two experiments of one name",
        lambda s: [experiment(s, each, name="sweep") for each in "78"],
    ),
    ("E5", ERROR, False, "a lock that is a folder", lambda s: os.mkdir(os.path.join(experiment(s, "7"), ".lock"))),
    ("E5", ERROR, False, "tags that are no object", lambda s: experiment(s, "7", tags=[1])),
    (
        "E6",
        WARNING,
        False,
        "a time of deleting that is none",
        lambda s: experiment(s, "7", lifecycle_stage="deleted", deleted_time="now"),
    ),
    (
        "W2",
        ERROR,
        False,
        "an owner.json that cannot be read",
        lambda s: write(s.path("owner.json"), "{}".ljust(2047) + "\n"),
    ),
    (
        "W2",
        ERROR,
        True,
        "an empty owner.json",
        lambda s: (write(s.path("owner.json"), ""), os.utime(s.path("owner.json"), (5, 5))),
    ),
    (
        "W2",
        WARNING,
        False,
        "an owner.json of another size",
        lambda s: write(s.path("owner.json"), content(s.path("owner.json")).strip()),
    ),
    (
        "W6",
        WARNING,
        False,
        "a generation behind that of meta.yaml",
        lambda s: change(meta(s), "generation: 0", "generation: 3"),
    ),
    (
        "W6",
        WARNING,
        False,
        "a generation that is no number",
        lambda s: change(meta(s), "generation: 0", 'generation: "x"'),
    ),
    ("W6", WARNING, False, "an heir's mark that is no folder", lambda s: write(s.path("writers", ".resume-1"), "")),
    (
        "W7",
        WARNING,
        False,
        "a share that nobody has signed",
        lambda s: os.unlink(os.path.join(s.writer(), "owner.json")),
    ),
    (
        "W8",
        ERROR,
        False,
        "a share that is a link",
        lambda s: (os.rename(s.writer(), s.path("share")), link("../share", s.path("writers", "w"))),
    ),
    ("W13", WARNING, False, "a joiner's mark that is no folder", lambda s: write(s.path("writers", ".joined-0"), "")),
    (
        "W13",
        ERROR,
        False,
        "what a joiner told, cut",
        lambda s: (
            os.mkdir(s.path("writers", ".joined-0")),
            write(s.path("writers", ".joined-0", "told.json"), '{"na'),
        ),
    ),
    (
        "A1",
        WARNING,
        False,
        "an artifact that Windows opens as a device",
        lambda s: write(s.path("artifacts", "notes", "con.txt"), ""),
    ),
    ("A1", WARNING, False, "artifacts that differ in case", lambda s: write(s.path("artifacts", "notes", "A.txt"), "")),
    ("A2", WARNING, True, "a copy that was broken off", lambda s: write(s.path("artifacts", "notes", LEFTOVER), "x")),
    ("A2", ERROR, False, "a lock that is a folder", lambda s: os.mkdir(s.path(".lock"))),
    (
        "A3",
        WARNING,
        False,
        "an artifact that is a link",
        lambda s: link("a.txt", s.path("artifacts", "notes", "b.txt")),
    ),
    (
        "A3",
        WARNING,
        False,
        "artifacts that are a link",
        lambda s: (move(s.path("artifacts"), "a"), link("a", s.path("artifacts"))),
    ),
    ("L3", WARNING, False, "a sign of life in the future", lambda s: in_future(s.path("owner.json"))),
    ("L4", ERROR, False, "LOST in a file", lambda s: change(meta(s), '"FINISHED"', '"LOST"')),
    ("T1", ERROR, False, "a trash that is a file", lambda s: write(os.path.join(s.folder, "0", ".trash"), "")),
    (
        "T5",
        WARNING,
        True,
        "a removal that was broken off",
        lambda s: os.makedirs(os.path.join(in_trash(s), LEFTOVER, "x")),
    ),
    (
        "T5",
        WARNING,
        True,
        "the removal of an experiment that was broken off",
        lambda s: os.makedirs(os.path.join(s.folder, LEFTOVER, "x")),
    ),
    (
        "T6",
        WARNING,
        False,
        "a trash that is a link",
        lambda s: (move(in_trash(s), "t"), link("t", os.path.join(s.folder, "0", ".trash"))),
    ),
    (
        "F1",
        ERROR,
        False,
        "a status of 0.1.0 that is none",
        lambda s: write(os.path.join(in_form_0(s), "meta.yaml"), "status: DONE\n"),
    ),
    (
        "F1",
        WARNING,
        False,
        "a time of 0.1.0 that is none",
        lambda s: metric_of_0(s, '{"value": NaN, "timestamp": "now"}'),
    ),
    (
        "F2",
        WARNING,
        False,
        "a run of 0.1.0 with an owner",
        lambda s: write(os.path.join(in_form_0(s), "owner.json"), content(s.path("owner.json"))),
    ),
    (
        "S7",
        WARNING,
        True,
        "a merge that was broken off",
        lambda s: os.makedirs(os.path.join(s.folder, "0", LEFTOVER, "x")),
    ),
    ("Z1", ERROR, False, "a file in place of the packs", lambda s: write(os.path.join(s.folder, "0", ".packs"), "")),
    ("Z1", WARNING, False, "a pack that was renamed", lambda s: move(in_pack(s), "first-0123456789abcdef.zip")),
    ("Z2", ERROR, False, "a pack that is cut", cut_pack),
    ("Z2", ERROR, False, "a pack that is none", lambda s: write(in_pack(s), "no archive")),
    ("Z3", ERROR, False, "a byte of a pack that is another", lambda s: spoil(in_pack(s), 60)),
    (
        "Z4",
        ERROR,
        False,
        "packs that are a link",
        link_packs,
    ),
    ("Z5", WARNING, False, "a run in a pack and beside it", packed_and_there),
    (
        "Z8",
        ERROR,
        False,
        "a lock of the packs that is a folder",
        lambda s: os.makedirs(os.path.join(s.folder, "0", ".packs", ".lock")),
    ),
    (
        "Z8",
        WARNING,
        True,
        "packing that was broken off",
        lambda s: write(os.path.join(os.path.dirname(in_pack(s)), LEFTOVER), "x"),
    ),
    (
        "Z8",
        WARNING,
        True,
        "a mark without its pack",
        lambda s: write(os.path.join(os.path.dirname(in_pack(s)), "0123456789abcdef~first.out"), ""),
    ),
]
