"""A disk that is cut off, or far away: what may be seen of it after each change of a recorded sequence?

The model is harsher than any one file system. Of a file, each page of 4096 bytes is there as it stood at some moment
between its last sync and the cut, torn at a sector of 512 bytes; its size too is that of some such moment, and what
was never written below it reads as zeros. Of a folder, the names are those of some moment since its own last sync. A
sync of a file does not sync the folder that names it.

Of a disk far away, as NFS is, another machine may see each file as it stood at any moment so far, with the size of any
other such moment: what is missing below that reads as zeros. Of each folder it sees the names of any moment.
"""

import json
import os

PAGE = 4096
SECTOR = 512


class _File:
    """What a file held, version by version: (number of the change, content)."""

    def __init__(self, number):
        self.versions = [(number, b"")]
        self.syncs = []

    @property
    def content(self):
        return self.versions[-1][1]

    def change(self, number, content):
        self.versions.append((number, content))

    def torn(self, cut, random):
        """Return what a cut right after change number *cut* may leave."""
        live = [content for number, content in self.versions if number <= cut]
        synced = max([number for number in self.syncs if number <= cut], default=-1)
        settled = [content for number, content in self.versions if number <= synced]
        live = live[max(0, len(settled) - 1) :]
        size = len(_late(live, random))
        pages = []
        for start in range(0, size, PAGE):
            first, second = _late(live, random), _late(live, random)
            tear = start + SECTOR * random.randrange(PAGE // SECTOR + 1)
            page = first[start:tear].ljust(tear - start, b"\0") + second[tear : start + PAGE]
            pages.append(page.ljust(PAGE, b"\0"))
        return b"".join(pages)[:size].ljust(size, b"\0")

    def distant(self, cut, random):
        """Return what another machine may see right after change number *cut*."""
        live = [content for number, content in self.versions if number <= cut]
        size = len(_late(live, random))
        return _late(live, random)[:size].ljust(size, b"\0")


def _late(moments, random):
    """Choose one of some moments: half of the time the last one, so that most folders of a deep path are there."""
    return moments[-1] if random.random() < 0.5 else random.choice(moments)


class Recording:
    """A sequence of changes, read from the interposer's log."""

    def __init__(self, log, store):
        self.store = str(store)
        self.acknowledged = []  # (number of the change before it, item)
        self._names = {}  # folder -> [(number, {name: file or None for a folder})]
        self._folder_syncs = {}
        self._opened = {}
        self.length = 0
        with open(str(log)) as lines:
            for line in lines:
                self._apply(line.rstrip("\n").split("\t"))

    def state(self, cut, random, folder):
        """Write into *folder* what a power cut right after change number *cut* may leave of the store."""
        self._materialise(self.store, cut, random, str(folder), _File.torn)

    def view(self, cut, random, folder):
        """Write into *folder* what another machine may see of the store right after change number *cut*."""
        self._materialise(self.store, cut, random, str(folder), _File.distant)

    def _materialise(self, folder, cut, random, target, content_of):
        os.makedirs(target, exist_ok=True)
        moments = [(number, names) for number, names in self._names.get(folder, []) if number <= cut]
        synced = max([number for number in self._folder_syncs.get(folder, []) if number <= cut], default=-1)
        synced = -1 if content_of is _File.distant else synced
        settled = [moment for moment in moments if moment[0] <= synced]
        live = settled[-1:] + [moment for moment in moments if moment[0] > synced]
        if not live:
            return
        for name, file in _late(live, random)[1].items():
            path = os.path.join(target, name)
            if file is None:
                self._materialise(os.path.join(folder, name), cut, random, path, content_of)
            else:
                with open(path, "wb") as out:
                    out.write(content_of(file, cut, random))

    def _apply(self, fields):
        kind, path = fields[0], fields[1]
        if kind == "acknowledged":
            self.acknowledged.append((self.length, json.loads(path)))
            return
        self.length += 1
        offset, data, second = int(fields[2]), bytes.fromhex(fields[3]), fields[4]
        if kind in ("write", "truncate", "sync"):
            self._apply_to_content(kind, path, offset, data)
        elif kind == "mkdir":
            self._rename(path, None)
        elif kind == "create":
            if self._look_up(path) is None:
                file = _File(self.length)
                self._rename(path, file)
            self._opened[path] = self._look_up(path)
        elif kind == "link":
            self._rename(second, self._look_up(path))
        elif kind == "rename":
            self._rename(second, self._look_up(path))
            self._drop(path)
        elif kind == "unlink":
            self._drop(path)
        else:
            raise AssertionError(kind)

    def _apply_to_content(self, kind, path, offset, data):
        file = self._file(path)
        if kind == "write":
            content = file.content.ljust(offset, b"\0")
            file.change(self.length, content[:offset] + data + content[offset + len(data) :])
        elif kind == "truncate":
            file.change(self.length, file.content[:offset].ljust(offset, b"\0"))
        elif path in self._names:
            self._folder_syncs.setdefault(path, []).append(self.length)
        elif file is not None:
            file.syncs.append(self.length)

    def _file(self, path):
        return self._look_up(path) or self._opened.get(path)

    def _names_of(self, folder):
        moments = self._names.setdefault(folder, [])
        return dict(moments[-1][1]) if moments else {}

    def _look_up(self, path):
        return self._names_of(os.path.dirname(path)).get(os.path.basename(path))

    def _rename(self, path, file):
        folder, name = os.path.split(path)
        names = self._names_of(folder)
        names[name] = file
        self._names[folder].append((self.length, names))
        if file is None:
            self._names.setdefault(path, [(self.length, {})])

    def _drop(self, path):
        folder, name = os.path.split(path)
        names = self._names_of(folder)
        names.pop(name, None)
        self._names[folder].append((self.length, names))
