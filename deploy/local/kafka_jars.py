"""Apache Kafka's jars: resolved once into a lock with SHA-256 sums, fetched and checked from it."""

import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.errors import LocalError
from deploy.local.paths import CACHE

LOCK = Path(__file__).with_name("kafka.lock")
JARS = CACHE / "kafka" / "jars"
# The broker, and the binding that lets it log; the binding's version is that of Kafka's own log4j.
ROOTS = ("org.apache.kafka:kafka_2.13:4.1.1", "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3")
HEADER = "# Jars of Apache Kafka: group:artifact:version sha256. Written by `make lock`.\n"
DOWNLOADS_AT_ONCE = 6


@dataclass(frozen=True, slots=True)
class Jar:
    """One Maven artefact; equality is that of its coordinates and its content."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


def locked(lock: Path = LOCK) -> tuple[Jar, ...]:
    lines = [line for line in lock.read_text().splitlines() if line and not line.startswith("#")]
    return tuple(_parse(line) for line in lines)


def _parse(line: str) -> Jar:
    coordinates, sha256 = line.split()
    group, artifact, version = coordinates.split(":")
    return Jar(group, artifact, version, sha256)


def classpath(jars_dir: Path = JARS) -> str:
    return os.pathsep.join(str(jars_dir / jar.file_name) for jar in locked())


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(*, progress: Callable[[int, int], None], jars_dir: Path = JARS) -> None:
    """Bring every locked jar into `jars_dir`; raises LocalError where a sum is another."""
    jars_dir.mkdir(parents=True, exist_ok=True)
    jars = locked()
    missing = [jar for jar in jars if not _is_current(jars_dir / jar.file_name, jar)]
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        for done, _ in enumerate(pool.map(lambda jar: _fetch_one(jar, jars_dir), missing), 1):
            progress(len(jars) - len(missing) + done, len(jars))
    for stranger in set(jars_dir.glob("*.jar")) - {jars_dir / jar.file_name for jar in jars}:
        stranger.unlink()


def _is_current(path: Path, jar: Jar) -> bool:
    return path.exists() and sha256_of(path) == jar.sha256


def _fetch_one(jar: Jar, jars_dir: Path) -> None:
    source = _download(jar.group, jar.artifact, jar.version)
    if sha256_of(source) != jar.sha256:
        raise LocalError(
            f"{source} differs from deploy/local/kafka.lock in its SHA-256: delete it and run again"
        )
    partial = jars_dir / f"{jar.file_name}.part"
    shutil.copyfile(source, partial)
    partial.replace(jars_dir / jar.file_name)


def _download(group: str, artifact: str, version: str) -> Path:
    from jgo.maven import MavenContext  # only the fetch needs it: a second start stays quick

    component = MavenContext(timeout=60).project(group, artifact).at_version(version)
    try:
        return Path(component.artifact().resolve())
    except Exception as error:
        raise LocalError(
            f"cannot download {group}:{artifact}:{version} ({error}): is there a network? run again"
        ) from error


def write_lock() -> None:
    """Resolve the roots anew and write the lock beside this module."""
    import jgo

    found: dict[tuple[str, str], str] = {}
    for root in ROOTS:
        for item in jgo.resolve(root):
            found.setdefault((item.groupId, item.artifactId), item.version)
    LOCK.write_text(HEADER + "".join(_lock_lines(found)))


def _lock_lines(found: dict[tuple[str, str], Any]) -> Iterator[str]:
    for (group, artifact), version in sorted(found.items()):
        yield f"{group}:{artifact}:{version} {sha256_of(_download(group, artifact, version))}\n"


def _show(done: int, total: int) -> None:
    sys.stdout.write(f"  Kafka's jars: {done} of {total}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        write_lock() if sys.argv[1:] == ["lock"] else fetch(progress=_show)
    except LocalError as error:
        sys.exit(f"error: {error}")
