"""Do the promises hold on other file systems than the one that the tests happen to run on?"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

PROCESSES = Path(__file__).parent.parent / "processes"
ALL = os.environ.get("FAULTS") == "all"
KILLS = "1000" if ALL else "24"
SIZES_MB = {"ext4": 64, "xfs": 320, "btrfs": 200, "tmpfs": 64}
if ALL:
    SIZES_MB = dict.fromkeys(SIZES_MB, 768)


def refuse(message):
    """Skip where a file system cannot be had; in CI that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(params=sorted(SIZES_MB))
def mounted(request, tmp_path):
    """Return a folder on a fresh file system of the kind asked for, in a file of its own."""
    kind = request.param
    folder = tmp_path / "mounted"
    folder.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root may mount, on Linux")
    if kind == "tmpfs":
        command = ["mount", "-t", "tmpfs", "-o", "size=%dm" % SIZES_MB[kind], "tmpfs", str(folder)]
    else:
        make = shutil.which("mkfs." + kind)
        if make is None:
            refuse("mkfs.%s is missing (Debian: apt-get install e2fsprogs xfsprogs btrfs-progs)" % kind)
        image = tmp_path / "image"
        with open(str(image), "wb") as file:
            file.truncate(SIZES_MB[kind] * 1024 * 1024)
        subprocess.run([make, "-q", str(image)], check=True, stdout=subprocess.DEVNULL)
        command = ["mount", "-o", "loop", str(image), str(folder)]
    answer = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    if answer.returncode:
        refuse("cannot mount %s here: %s" % (kind, answer.stderr.strip()))
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.timeout(3600)
def test_a_kill_at_a_random_moment_loses_nothing_on_any_of_them(mounted, tmp_path):
    """Rules P1 and M3: the tests of kills, run once more with their store on that file system."""
    environment = dict(os.environ, MINI_MLFLOW_TEST_KILLS=KILLS, TMPDIR=str(mounted), PYTHONDONTWRITEBYTECODE="1")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(PROCESSES / "test_kill.py")]
    command += ["--basetemp", str(mounted / "pytest")]
    answer = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    assert answer.returncode == 0, answer.stdout[-4000:]
