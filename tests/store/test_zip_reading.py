"""Is what an archive holds read as every other program does, and nothing of it believed?"""

import io
import os
import random
import re
import stat
import struct
import time
import tracemalloc
import warnings
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mini_mlflow
from mini_mlflow import BrokenFileError, packs
from mini_mlflow.store import packed, zip_reading
from mini_mlflow.store.zip_writing import ArchiveWriter
from packed_runs import put_pack

META = b'format: 1\nrun_id: "r"\nexperiment_id: 0\nstatus: "FINISHED"\n'
SOURCES = Path(mini_mlflow.__file__).parent


def read_all(path):
    """Return what an archive holds: by run and path the content, None for folders."""
    descriptor = zip_reading.open_archive(str(path))
    try:
        runs = zip_reading.read_runs(descriptor, str(path))
        return {
            run_id: {
                name: None if name.endswith("/") else b"".join(zip_reading.iter_content(descriptor, entry, str(path)))
                for name, entry in run.items()
            }
            for run_id, run in runs.items()
        }
    finally:
        os.close(descriptor)


def write_archive(path, files, folder):
    """Write an archive of ours; *files* by name."""
    descriptor = os.open(str(path), os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        writer = ArchiveWriter(descriptor)
        for name, data in files.items():
            if data is None:
                writer.add_folder(name, stat.S_IFDIR | 0o755, 10**18)
                continue
            source = folder / "source"
            source.write_bytes(data)
            opened = os.open(str(source), os.O_RDONLY)
            writer.add_file(name, opened, stat.S_IFREG | 0o640, 10**18 + 100, lambda count: None)
            os.close(opened)
        writer.finish()
    finally:
        os.close(descriptor)


def entry(name, mode=stat.S_IFREG | 0o644, method=zipfile.ZIP_STORED):
    """Return an entry for an archive that zipfile would not make by itself."""
    info = zipfile.ZipInfo("placeholder", (2026, 1, 1, 0, 0, 0))
    info.filename = name
    info.external_attr = mode << 16
    info.compress_type = method
    info.create_system = 3
    return info


BIG = random.Random(7).getrandbits(8 * 3000000).to_bytes(3000000, "little")
ROWS = b"".join(b"[%d, %d, %.3f],\n" % (step, step * 7, step / 3) for step in range(150000))
CONTENTS = {
    "r/meta.yaml": META,
    "r/params/": None,
    "r/params/lr.json": b'{"key": "lr", "value": 0.1}\n',
    "r/metrics/ключ é.json": b"x" * 1000,
    "r/artifacts/empty": b"",
    "r/artifacts/random": BIG,
    "r/artifacts/rows": ROWS,
    "r/artifacts/zeros": b"\0" * 3000000,
    "r2/meta.yaml": META,
}


def test_what_we_write_zipfile_reads_and_so_do_we(tmp_path):
    """Rule Z2."""
    write_archive(tmp_path / "a.zip", CONTENTS, tmp_path)
    files = {name: data for name, data in CONTENTS.items() if data is not None}
    with zipfile.ZipFile(str(tmp_path / "a.zip")) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == list(CONTENTS)
        assert {name: archive.read(name) for name in files} == files
        methods = {info.filename: info.compress_type for info in archive.infolist()}
        assert stat.S_IMODE(archive.getinfo("r/meta.yaml").external_attr >> 16) == 0o640
        assert archive.getinfo("r/meta.yaml").date_time == (2001, 9, 9, 1, 46, 40)
    assert methods["r/artifacts/rows"] == zipfile.ZIP_DEFLATED
    assert methods["r/artifacts/random"] == methods["r/artifacts/zeros"] == zipfile.ZIP_STORED  # Z3: not beyond 250:1
    found = read_all(tmp_path / "a.zip")
    assert {"%s/%s" % (run, name): data for run in found for name, data in found[run].items()} == CONTENTS


def test_what_zipfile_writes_we_read(tmp_path):
    """Rule Z2: also with sizes behind the data, and of 64 bits."""

    class Pipe(io.BytesIO):
        def seekable(self):
            return False

        def tell(self):
            raise OSError("a pipe")

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("r/meta.yaml", META)
        with archive.open("r/artifacts/rows", "w", force_zip64=True) as file:
            file.write(ROWS)
    (tmp_path / "a.zip").write_bytes(pipe.getvalue())
    assert read_all(tmp_path / "a.zip") == {"r": {"meta.yaml": META, "artifacts/rows": ROWS}}


@pytest.mark.long
def test_an_archive_of_more_than_65535_files_is_written_and_read(tmp_path):
    """Rule Z2: the directory of 64 bits."""
    descriptor = os.open(str(tmp_path / "a.zip"), os.O_RDWR | os.O_CREAT, 0o666)
    source = os.open(os.devnull, os.O_RDONLY)
    writer = ArchiveWriter(descriptor)
    for number in range(65540):
        writer.add_file("r/%d" % number, source, stat.S_IFREG | 0o644, 0, lambda count: None)
    writer.finish()
    os.close(source)
    os.close(descriptor)
    with zipfile.ZipFile(str(tmp_path / "a.zip")) as archive:
        assert len(archive.namelist()) == 65540
    assert len(read_all(tmp_path / "a.zip")["r"]) == 65540


def test_a_file_beyond_4_gigabytes_has_sizes_of_64_bits(tmp_path):
    """Rule Z2: the headers of such a file, which is not written here."""
    from mini_mlflow.store import zip_writing

    written = zip_writing._Written(b"r/large", 5 << 32, 7 << 32, 7 << 32, 1, 0, stat.S_IFREG | 0o644, 0)
    (found,) = zip_reading._decode_entries(zip_writing._encode_entry(written), "path")
    assert (found.offset, found.packed_size, found.size) == (5 << 32, 7 << 32, 7 << 32)


HOSTILE = {
    "above": "../x",
    "above a run": "r/../../x",
    "absolute": "/x",
    "a drive": "C:\\x",
    "a drive within": "r/C:x",
    "a backslash": "r/a\\..\\x",
    "a dot": "r/./x",
    "an empty part": "r//x",
    "a control character": "r/a\x1b[31m",
    "no run": "x",
    "no id of a run": ".packs/x",
    "an id that is reserved": "meta.yaml/x",
    "too deep": "r/" + "a/" * 201 + "x",
    "too long": "r/" + "a" * 5000,
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
def test_a20_an_archive_with_a_path_that_leads_elsewhere_is_refused_whole(tmp_path, name):
    """Rule Z2."""
    store = tmp_path / "mlruns"
    put_pack(store, [("r/meta.yaml", META), (entry(name), b"outside")])
    check_refused(store, tmp_path)


def check_refused(store, tmp_path):
    """Check that nothing of the only pack of a store is read or written, and that this is told."""
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    (pack,) = packed.list_packs(str(store / "0"))
    with pytest.raises(BrokenFileError):
        read_all(pack)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mini_mlflow.StorageWarning)
        result = packs.unpack(0, runs_dir=store)
        runs = mini_mlflow.ExperimentTracker(runs_dir=store).list_runs()
        for run_id in runs:
            with pytest.raises((ValueError, OSError)):
                mini_mlflow.get_run(run_id, runs_dir=store)
    assert result.run_ids == []
    after = sorted(str(path) for path in tmp_path.rglob("*"))
    assert [path for path in after if not path.endswith(".lock")] == before


LINK, DEVICE, FIFO = stat.S_IFLNK | 0o777, stat.S_IFBLK | 0o666, stat.S_IFIFO | 0o666
STRANGE = {
    "a link": [(entry("r/a", LINK), b"/etc/passwd")],
    "a file through a link": [(entry("r/a", LINK), b"/tmp"), (entry("r/a/b"), b"x")],
    "a device": [(entry("r/a", DEVICE), b"")],
    "a pipe": [(entry("r/a", FIFO), b"")],
    "a folder that is a file": [(entry("r/a/", stat.S_IFREG | 0o644), b"")],
    "a folder with content": [(entry("r/a/", stat.S_IFDIR | 0o755), b"content")],
    "a file and a folder at once": [(entry("r/a"), b"x"), (entry("r/a/b"), b"x")],
    "a file that is also an empty folder": [(entry("r/a"), b"x"), (entry("r/a/", stat.S_IFDIR | 0o755), b"")],
    "the same twice": [(entry("r/a"), b"x"), (entry("r/a"), b"y")],
    "the same folder twice": [(entry("r/a/", stat.S_IFDIR | 0o755), b"")] * 2,
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("entries", STRANGE.values(), ids=STRANGE.keys())
def test_a20_an_archive_with_a_link_a_device_or_two_files_of_one_name_is_refused_whole(tmp_path, entries):
    """Rule Z2."""
    store = tmp_path / "mlruns"
    put_pack(store, [("r/meta.yaml", META), *entries])
    check_refused(store, tmp_path)


def test_a21_nothing_is_unpacked_by_functions_whose_safety_depends_on_the_version_of_python():
    sources = {path: path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.py")}
    pattern = r"\.(extractall|extract|unpack_archive)\("
    found = [str(path) for path, text in sources.items() if re.search(pattern, text)]
    assert found == []


# Bombs and lies ---------------------------------------------------------------------------------------------------


def raw(name, data, *, claims=None, method=8, checksum=None, local_name=None, flags=0):
    """Return a local header with data, and what the directory says of it, both as told."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = data if method == 0 else packer.compress(data) + packer.flush()
    size = len(data) if claims is None else claims
    checksum = zlib.crc32(data) if checksum is None else checksum
    local = local_name or name
    facts = (20, flags, method, 0, 33, checksum, len(body), size)
    header = struct.pack("<4s5H3L2H", b"PK\3\4", *facts, len(local), 0) + local + body

    def central(offset):
        rest = (len(name), 0, 0, 0, 0, 0, offset)
        return struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, *facts, *rest) + name

    return header, central


def assemble(parts, *, offsets=None, count=None):
    """Put an archive together from such parts."""
    data, places = b"", []
    for header, _ in parts:
        places.append(len(data))
        data += header
    places = offsets or places
    directory = b"".join(central(place) for (_, central), place in zip(parts, places))
    number = len(parts) if count is None else count
    return data + directory + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, number, number, len(directory), len(data), 0)


def refused(tmp_path, data, reason):
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    with pytest.raises(BrokenFileError, match=reason):
        read_all(path)


def test_b19_a_body_of_a_thousand_to_one_is_refused_before_it_is_unpacked(tmp_path):
    """Rule Z3."""
    data = assemble([raw(b"r/bomb", b"\0" * (1 << 26))])
    assert len(data) < 1 << 17
    tracemalloc.start()
    refused(tmp_path, data, "more than 250 times")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 22


def test_b19_a_body_that_is_longer_than_its_directory_says_is_stopped_while_it_streams(tmp_path):
    """Rule Z3: 64 MB that are told to be 100 bytes."""
    data = assemble([raw(b"r/bomb", b"\0" * (1 << 26), claims=100)])
    tracemalloc.start()
    refused(tmp_path, data, "longer than its directory says")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 23


def test_b19_sizes_checksums_and_names_that_lie_are_told(tmp_path):
    """Rule Z2."""
    content = b"content " * 10
    refused(tmp_path, assemble([raw(b"r/a", content, claims=len(content) + 1)]), "checksum")
    refused(tmp_path, assemble([raw(b"r/a", content, checksum=1)]), "checksum")
    refused(tmp_path, assemble([raw(b"r/a", content, local_name=b"r/b")]), "elsewhere")
    refused(tmp_path, assemble([raw(b"r/a", content, method=0, claims=5)]), "size that cannot be")
    refused(tmp_path, assemble([raw(b"r/a", content, method=12)]), "not read")
    refused(tmp_path, assemble([raw(b"r/a", content, flags=1)]), "encrypted")
    refused(tmp_path, assemble([raw("r/é".encode(), content)]), "not UTF-8")
    refused(tmp_path, assemble([raw(b"r/\xff", content, flags=0x800)]), "not UTF-8")


def test_b19_entries_that_overlap_are_refused(tmp_path):
    """Rule Z3: one body, told to be a hundred files."""
    body = raw(b"r/a", b"\0" * 100000)
    parts = [body] + [(b"", raw(b"r/%d" % number, b"\0" * 100000)[1]) for number in range(100)]
    refused(tmp_path, assemble(parts, offsets=[0] * 101), "overlaps")
    one, other = raw(b"r/a", b"x" * 50, method=0), raw(b"r/b", b"y" * 50, method=0)
    refused(tmp_path, assemble([one, other], offsets=[0, 20]), "overlaps")
    refused(tmp_path, assemble([one], offsets=[1 << 20]), "overlaps")


@pytest.mark.long
def test_b19_a_million_entries_are_refused_before_they_are_read(tmp_path):
    """Rule Z3."""
    header, central = raw(b"r/a", b"", method=0)
    directory = central(0) * 1000000
    end = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 10**6, 10**6, len(directory), len(header))
    end += struct.pack("<4sLQL", b"PK\6\7", 0, len(header) + len(directory), 1)
    end += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    begin = time.perf_counter()
    refused(tmp_path, header + directory + end, "1000000 entries")
    lie = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(directory), len(header), 0)
    refused(tmp_path, header + directory + lie, "twice|more than|overlaps|cut short")
    assert time.perf_counter() - begin < 60


@pytest.mark.parametrize("cut", [0, 1, 10, 22, 50])
def test_what_is_no_whole_archive_is_told(tmp_path, cut):
    data = assemble([raw(b"r/a", b"content")])
    refused(tmp_path, data[cut + 1 :] if cut else b"", "zip archive|directory|cut short")
    refused(tmp_path, data[: -cut - 1], "zip archive|directory|cut short")
    refused(tmp_path, data + b"x" * (cut + 1), "zip archive|directory|cut short")


@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(places=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=6))
def test_b19_an_archive_with_wrong_bytes_is_read_as_it_was_or_refused(tmp_path, places):
    """Rule Z2: no other error, and never another content."""
    good = assemble([raw(b"r/a", b"content " * 20), raw(b"r/b/c", b"other", method=0), raw(b"s/a", b"third " * 9)])
    data = bytearray(good)
    for place, value in places:
        data[place % len(data)] = value
    path = tmp_path / "a.zip"
    path.write_bytes(bytes(data))
    whole = {"content " * 20, "other", "third " * 9}
    try:
        found = read_all(path)
    except BrokenFileError:
        return
    contents = {data.decode() for run in found.values() for data in run.values() if data is not None}
    assert contents <= whole


NAMES = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="/\\:"), min_size=1, max_size=8)
PARTS = st.lists(NAMES.filter(lambda name: name not in (".", "..")), min_size=1, max_size=4)


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(tree=st.dictionaries(PARTS.map("/".join), st.binary(max_size=3000), max_size=8))
def test_whatever_is_written_comes_back_to_the_byte(tmp_path, tree):
    """Rule Z2."""
    files = {}
    for name, data in sorted(tree.items()):
        if not any(other.startswith(name + "/") for other in tree):
            files["r/" + name] = data
    write_archive(tmp_path / "a.zip", files, tmp_path)
    found = read_all(tmp_path / "a.zip")
    assert {"r/" + name: data for name, data in found.get("r", {}).items()} == files
    with zipfile.ZipFile(str(tmp_path / "a.zip")) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files
