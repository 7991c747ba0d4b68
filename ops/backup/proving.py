"""Is a copy what the server said it sent: every file in it against the manifest of `pg_basebackup`.

`pg_verifybackup` does the same, but reads archives only from PostgreSQL 18 on, and its build in the
wheel that runs a server without Docker ends at once with a fault.
"""

import hashlib
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

BASE: Final = "base.tar.gz"
MANIFEST: Final = "backup_manifest"
CHECKSUMS: Final = "SHA256"
READ_BYTES: Final = 2**20
_OWN_SUM: Final = b'"Manifest-Checksum"'


class DamagedError(Exception):
    """A copy is not what its manifest says; names the first file at fault."""


def manifest_of(copy: Path) -> dict[str, tuple[int, str]]:
    """Return size and SHA-256 of each file by its path. Raises DamagedError, OSError."""
    raw = (copy / MANIFEST).read_bytes()
    try:
        told = json.loads(raw)
        own = told["Manifest-Checksum"]
        files = {file["Path"]: (file["Size"], file["Checksum"]) for file in told["Files"]}
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedError(f"{copy.name}: the manifest cannot be read") from error
    if hashlib.sha256(raw[: raw.rindex(_OWN_SUM)]).hexdigest() != own:
        raise DamagedError(f"{copy.name}: the manifest was changed")
    return files


def prove(copy: Path) -> None:
    """Compare a copy with its manifest. Raises DamagedError, OSError."""
    missing = manifest_of(copy)
    try:
        for name, size, digest in _files(copy / BASE):
            expected = missing.pop(name, None)
            if expected is not None and expected != (size, digest):
                raise DamagedError(f"{copy.name}: {name} is damaged")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise DamagedError(f"{copy.name}: {BASE} cannot be read: {error}") from error
    if missing:
        raise DamagedError(f"{copy.name}: {min(missing)} is missing")


def _files(archive: Path) -> Iterator[tuple[str, int, str]]:
    with tarfile.open(archive, "r|gz") as members:
        for member in members:
            content = members.extractfile(member) if member.isfile() else None
            if content is not None:
                digest = hashlib.sha256()
                while part := content.read(READ_BYTES):
                    digest.update(part)
                yield member.name.removeprefix("./"), member.size, digest.hexdigest()
