#!/usr/bin/env python3
"""Sets up a clone with the standard library alone, then hands over to the virtual environment.

    python3 deploy/local/bootstrap.py [--dev] [--] [MODULE ARGUMENTS...]

Each step is skipped while the lock it installs from is the one it installed last.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "installed.json"
OLDEST_PYTHON = (3, 11)
FREE_BYTES_NEEDED = 2_500_000_000

RUNTIME_LOCKS = ("requirements.txt", "requirements-local.txt")
DEV_LOCKS = (*RUNTIME_LOCKS, "requirements-dev.txt")
NPM_LOCK = "requirements-npm.txt"
# Go's checksum database vouches for what is downloaded.
TOXIPROXY = "github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0"
GO_SECONDS = 180


def main() -> None:
    arguments = sys.argv[1:]
    dev = "--dev" in arguments[:1]
    target = [word for word in arguments[1 if dev else 0 :] if word != "--"]
    os.chdir(PROJECT)
    check_python()
    stamps = Stamps()
    make_venv()
    install_packages(stamps, dev=dev)
    install_project(stamps)
    fetch_kafka(stamps)
    install_front_end(stamps, dev=dev)
    if dev:
        install_toxiproxy(stamps)
    if target:
        os.execv(PYTHON, [str(PYTHON), "-m", *target])


def stop(message: str) -> None:
    sys.exit("error: " + message)


def check_python() -> None:
    if sys.version_info < OLDEST_PYTHON:
        stop(
            f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}: "
            "name one, for example make PYTHON=python3.12 up"
        )
    if sys.platform == "win32":
        stop("run this on Linux or macOS (Windows: inside WSL)")


def make_venv() -> None:
    if PYTHON.exists():
        return
    check_disk()
    say("making the virtual environment")
    shutil.rmtree(VENV, ignore_errors=True)
    done = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True)
    if done.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        stop(
            "Python cannot make a virtual environment: on Debian and Ubuntu run "
            "`apt install python3-venv`, elsewhere install Python with its ensurepip"
        )


def check_disk() -> None:
    free = shutil.disk_usage(PROJECT).free
    if free < FREE_BYTES_NEEDED:
        stop(f"only {free // 10**6} MB free on this disk: make room for 2.5 GB")


class Stamps:
    """Which lock each step installed last; lost together with the virtual environment."""

    def __init__(self) -> None:
        try:
            self.known = json.loads(STAMPS.read_text())
        except (OSError, ValueError):
            self.known = {}

    def is_current(self, step: str, content: str) -> bool:
        return bool(self.known.get(step) == content)

    def keep(self, step: str, content: str) -> None:
        self.known[step] = content
        STAMPS.write_text(json.dumps(self.known, indent=1))


def sum_of(*files: str) -> str:
    joined = b"\0".join((PROJECT / file).read_bytes() for file in files)
    return hashlib.sha256(joined).hexdigest()


def install_packages(stamps: Stamps, *, dev: bool) -> None:
    locks = DEV_LOCKS if dev else RUNTIME_LOCKS
    if stamps.is_current("dev-packages", sum_of(*DEV_LOCKS)):
        return
    step = "dev-packages" if dev else "packages"
    if stamps.is_current(step, sum_of(*locks)):
        return
    say("installing Python packages")
    install(locks)
    stamps.keep(step, sum_of(*locks))


def install(locks: tuple[str, ...]) -> None:
    files = [word for lock in locks for word in ("-r", lock)]
    command = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "--no-deps", *files]
    total = sum((PROJECT / lock).read_text().count("==") for lock in locks)
    run_counting(command, "Collecting", total, "packages")


def run_counting(command: list[str], word: str, total: int, what: str) -> None:
    """Run quietly; show how many lines began with `word`; on failure show the end of the output."""
    began, seen, lines = time.monotonic(), 0, []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=PROJECT
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            if line.startswith(word):
                seen += 1
                progress(seen, total, what)
    if process.returncode:
        sys.stderr.write("".join(lines[-12:]))
        stop(f"{what} could not be installed (see above): is there a network? then run it again")
    progress_end(f"{what} in {time.monotonic() - began:.0f} s")


def progress(done: int, total: int, what: str) -> None:
    if sys.stdout.isatty():
        sys.stdout.write(f"\r  {done} of {max(done, total)} {what}")
    elif done % 25 == 0:
        sys.stdout.write(f"  {done} of {max(done, total)} {what}\n")
    sys.stdout.flush()


def progress_end(text: str) -> None:
    sys.stdout.write(("\r\033[K" if sys.stdout.isatty() else "") + f"  {text}\n")
    sys.stdout.flush()


def install_project(stamps: Stamps) -> None:
    """The console scripts: `cartas`, `measurements`, ..."""
    content = sum_of("pyproject.toml") + str(PROJECT)
    if stamps.is_current("project", content):
        return
    command = [str(PYTHON), "-m", "pip", "install", "--no-deps", "--no-build-isolation"]
    run_counting([*command, "--editable", "."], "Collecting", 1, "commands")
    stamps.keep("project", content)


def fetch_kafka(stamps: Stamps) -> None:
    lock = "deploy/local/kafka.lock"
    jars = PROJECT / ".cache" / "kafka" / "jars"
    if os.environ.get("CARTAS_KAFKA_SERVERS"):
        return
    if stamps.is_current("kafka", sum_of(lock)) and jars.is_dir():
        return
    say("fetching Apache Kafka")
    total = (PROJECT / lock).read_text().count("\n") - 1
    command = [str(PYTHON), "-m", "deploy.local.kafka_jars"]
    run_counting(command, "  Kafka's jars", total, "jars")
    stamps.keep("kafka", sum_of(lock))


def install_front_end(stamps: Stamps, *, dev: bool) -> None:
    """`npm ci`; where there is no npm, Node.js comes as a wheel."""
    content = sum_of("package-lock.json")
    has_files = (PROJECT / "node_modules").is_dir()
    if has_files and stamps.is_current("front-end-dev", content):
        return
    step = "front-end-dev" if dev else "front-end"
    if has_files and stamps.is_current(step, content):
        return
    say("installing front-end files")
    options = ["--ignore-scripts", "--no-audit", "--no-fund", *([] if dev else ["--omit=dev"])]
    run_counting([npm(), "ci", *options], "added", 1, "front-end files")
    stamps.keep(step, content)


def npm() -> str:
    found = shutil.which("npm")
    if found:
        return found
    own = VENV / "bin" / "npm"
    if not own.exists():
        install((NPM_LOCK,))
    # The wheel's Node.js brings its own certificates; the machine's are the ones that hold here.
    os.environ.setdefault("NODE_OPTIONS", "--use-system-ca")
    os.environ["PATH"] = f"{own.parent}{os.pathsep}{os.environ['PATH']}"
    return str(own)


def install_toxiproxy(stamps: Stamps) -> None:
    """Only tests want it, and say so where it is missing."""
    folder = PROJECT / ".cache" / "toxiproxy"
    if stamps.is_current("toxiproxy", TOXIPROXY) and (folder / "server").exists():
        return
    go = shutil.which("go")
    if go is None or shutil.which("toxiproxy-server"):
        return
    say("installing toxiproxy")
    environment = {**os.environ, "GOBIN": str(folder)}
    command = [go, "install", TOXIPROXY]
    try:
        subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True, timeout=GO_SECONDS
        )
    except subprocess.SubprocessError as error:
        said = str(getattr(error, "stderr", None) or error).strip()[-300:]
        say(f"  not installed, tests of bad networks are skipped: {said}")
        return
    stamps.keep("toxiproxy", TOXIPROXY)


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
