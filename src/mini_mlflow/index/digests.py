"""How does the index tell things apart by a few bytes? By BLAKE2, without OpenSSL: loading it takes 4 ms."""

from __future__ import annotations

try:
    from _blake2 import blake2b  # where hashlib has it from
except ImportError:
    from hashlib import blake2b


def digest(data: bytes, size: int) -> bytes:
    """Return *size* bytes that are others for other data."""
    return blake2b(data, digest_size=size).digest()
