"""All benchmarks in turn, each with its own peers and limits: `make bench`, `make bench-long`.

    python -m benchmarks [--long] [--again]

What each prints is kept under build/bench, by commit: a run that was broken off goes on where it
was, unless it is to be done `--again`. The exit code is 1 where one of them failed.
"""

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
FOLDER = PROJECT / "build" / "bench"


@dataclass(frozen=True, slots=True)
class Program:
    """A benchmark with the arguments of its short and of its long form."""

    name: str
    short: tuple[str, ...] = ()
    long: tuple[str, ...] = ()


PROGRAMS = (
    Program("common_job", ("--records", "300000"), ("--records", "1000000", "--rounds", "3")),
    Program(
        "throughput",
        ("--tickets", "50000"),
        ("--tickets", "500000", "--processes", "2"),
    ),
    Program("latency", ("--seconds", "30"), ("--seconds", "300")),
    Program("soak", ("--minutes", "2"), ("--minutes", "60")),
    Program("takeover", (), ("--rate", "2000")),
    Program("mail", ("--mails", "1000"), ("--mails", "5000")),
    Program("intake", ("--seconds", "5"), ("--seconds", "60")),
    Program("relay", ("--rows", "100000", "--seconds", "5"), ("--rows", "1000000")),
    Program("worktime"),
    Program(
        "scale",
        ("--towns", "12", "--cases", "50", "--verdicts", "100000"),
        ("--cases", "60", "--verdicts", "20000000"),
    ),
    Program("recompute", ("--events", "200000"), ("--events", "2000000")),
)


def commit() -> str:
    """Return what is measured; with a mark where files differ from it."""
    told = ("git", "describe", "--always", "--dirty", "--abbrev=12")
    return subprocess.run(
        told, cwd=PROJECT, check=True, capture_output=True, text=True
    ).stdout.strip()


def run(program: Program, arguments: tuple[str, ...], kept: Path) -> bool:
    """Run one, show what it prints, and keep it once it has ended well."""
    command = [sys.executable, "-m", f"benchmarks.{program.name}", *arguments]
    print(f"\n## {' '.join(command[1:])}\n", flush=True)
    began = time.monotonic()
    done = subprocess.run(command, cwd=PROJECT, check=False, stdout=subprocess.PIPE, text=True)
    print(f"{done.stdout}\n({time.monotonic() - began:.0f} s)", flush=True)
    if done.returncode == 0:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(done.stdout)
    return done.returncode == 0


def main() -> None:
    """Run those that have not been run on this commit."""
    parser = argparse.ArgumentParser(description="All benchmarks in turn.")
    parser.add_argument("--long", action="store_true", help="The long forms; goes on where it was.")
    parser.add_argument("--again", action="store_true", help="Also what was run on this commit.")
    arguments = parser.parse_args()
    form = "long" if arguments.long else "short"
    folder, failed = FOLDER / commit() / form, False
    for program in PROGRAMS:
        kept = folder / f"{program.name}.md"
        if kept.exists() and not arguments.again:
            print(f"\n## {program.name}: run before\n\n{kept.read_text()}", flush=True)
        elif not run(program, program.long if arguments.long else program.short, kept):
            failed = True
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
