"""What does the index say that it holds? The root vouches for directories, each for the bodies of a block.

So a body that is missing, damaged, older than the rest or of another place is always found out.
"""

from __future__ import annotations

import json
from collections import namedtuple
from zlib import crc32

from .entry import STAGES, are_folders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

FIRST_BLOCK = 1  # so that every slot is above 0


class Block(namedtuple("Block", ["experiment_id", "stage", "run_count", "checksum"])):
    """Where the runs of a block lie, how many they are, and what its directory's bytes come to."""

    __slots__ = ()

    experiment_id: str
    stage: str
    run_count: int
    checksum: int


class Experiment(namedtuple("Experiment", ["fingerprint", "is_settled"])):
    """How the folder of an experiment looked, and whether all of its runs had ended."""

    __slots__ = ()

    fingerprint: bytes
    is_settled: bool


class Root:
    """All that is known without a look at any block.

    Attributes:
        blocks: By number.
        experiments: By id.
        cursor: Where the sweep stands.
    """

    def __init__(self) -> None:
        self.blocks: Dict[int, Block] = {}
        self.experiments: Dict[str, Experiment] = {}
        self.cursor = 0

    def encode(self) -> bytes:
        """Return it as bytes that vouch for themselves."""
        experiments = {key: [value.fingerprint.hex(), value.is_settled] for key, value in self.experiments.items()}
        blocks = [[number, *block] for number, block in sorted(self.blocks.items())]
        body = json.dumps([blocks, experiments, self.cursor], separators=(",", ":")).encode("ascii")
        return crc32(body).to_bytes(4, "little") + body

    @classmethod
    def decode(cls, body: bytes) -> Root:
        """Return what the bytes say.

        Raises:
            ValueError: They are not as they were written, or name no place in a store.
        """
        if crc32(body[4:]) != int.from_bytes(body[:4], "little"):
            raise ValueError("the root is damaged")
        blocks, experiments, cursor = json.loads(body[4:].decode("ascii"))
        root = cls()
        root.blocks = {number: Block(*block) for number, *block in blocks}
        root.experiments = {key: Experiment(bytes.fromhex(value[0]), value[1]) for key, value in experiments.items()}
        root.cursor = cursor
        for block in root.blocks.values():
            if not are_folders([block.experiment_id]) or block.stage not in STAGES:
                raise ValueError("a block of no experiment: %r" % (block,))
        if not are_folders(list(root.experiments)):
            raise ValueError("an experiment that is none")
        return root


class Directory:
    """What a block has.

    Attributes:
        occupied: A bit for each place that has a run.
        columns: By kind and key, what the body's bytes come to.
    """

    def __init__(self) -> None:
        self.occupied = 0
        self.columns: Dict[str, Dict[str, int]] = {}

    def encode(self) -> bytes:
        """Return it as bytes."""
        return json.dumps([format(self.occupied, "x"), self.columns], separators=(",", ":")).encode("ascii")

    @classmethod
    def decode(cls, body: bytes) -> Directory:
        """Return what the bytes say, which ``Block.checksum`` has vouched for."""
        occupied: Any
        directory = cls()
        occupied, directory.columns = json.loads(body.decode("ascii"))
        directory.occupied = int(occupied, 16)
        return directory
