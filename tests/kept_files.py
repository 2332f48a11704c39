"""What the tests of artifacts share: a run's folder, files to keep, and a look at what lies where."""

import os
import tempfile

from mini_mlflow import artifacts

PATH_DOORS = {
    "find_path": lambda root, path, place: artifacts.find_path(root, path),
    "exists": lambda root, path, place: artifacts.exists(root, path),
    "read_bytes": lambda root, path, place: artifacts.read_bytes(root, path),
    "download": lambda root, path, place: artifacts.download(root, path, place / "copy"),
    "delete": lambda root, path, place: artifacts.delete(root, path),
    "save_bytes": lambda root, path, place: artifacts.save_bytes(root, path, b"written"),
}
FOLDER_DOORS = {
    "list_files": lambda root, path, place: artifacts.list_files(root, path),
    "save_file": lambda root, path, place: artifacts.save_file(root, place / "source" / "x", path),
    "save_folder": lambda root, path, place: artifacts.save_folder(root, place / "source", path),
}


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


def open_to_others(path):
    """Let other users pass through the folders that a test's files lie in."""
    for folder in [path, *path.parents]:
        if str(folder) == tempfile.gettempdir():
            break
        os.chmod(str(folder), 0o755)
