"""What the tests of artifacts share: a run's folder, files to keep, and a look at what lies where."""

import os


def make_root(tmp_path):
    """Return the folder of the artifacts of a run that has none yet."""
    (tmp_path / "mlruns" / "0" / "run").mkdir(parents=True)
    return str(tmp_path / "mlruns" / "0" / "run" / "artifacts")


def write(path, data=b"content"):
    """Write a file and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def read(path):
    with open(path, "rb") as file:
        return file.read()


def tree(folder):
    """Return what lies below a folder: the bytes of each file, None for each folder and for each link to one."""
    found = {}
    for where, folders, files in os.walk(str(folder)):
        for name in folders + files:
            path = os.path.join(where, name)
            found[os.path.relpath(path, str(folder)).replace(os.sep, "/")] = read(path) if name in files else None
    return found
