"""`make rehearsal`: every act, what was seen of each, docs/rehearsal.md."""

import argparse
import sys
import tempfile
from pathlib import Path

from deploy.rehearsal.acts import Rehearsal
from deploy.rehearsal.book import Book, RehearsalError
from deploy.rehearsal.engine import PROJECT, run

ACTS = ("first_time", "upgrade", "own_servers")
PAGE = PROJECT / "docs" / "rehearsal.md"


def main() -> None:
    """Play the acts; on a fault say what was seen so far and end with 1."""
    options = _options()
    # A branch may move on meanwhile.
    options.present = run(["git", "rev-parse", options.present]).strip()
    previous = options.previous or _version_before(options.present)
    with tempfile.TemporaryDirectory(prefix="rehearsal-", dir=options.folder) as folder:
        for act in options.acts or ACTS:
            book = Book()
            try:
                play = Rehearsal(book, Path(folder), options.present, previous)
                getattr(play, act)()
            except RehearsalError as error:
                sys.exit(f"\n{book.table()}\n\nnot as it has to be: {error}")
            print(f"\n{book.table()}")
            if options.write:
                book.write(PAGE, act, _head(options.present))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.rehearsal", description=__doc__)
    parser.add_argument("acts", nargs="*", choices=[*ACTS, []], help="All of them where none is.")
    parser.add_argument("--present", default="HEAD", help="The commit that is rehearsed.")
    parser.add_argument("--previous", help="Commit or folder that is upgraded from; the last tag.")
    parser.add_argument("--write", action="store_true", help="Write the table into docs.")
    parser.add_argument("--folder", help="Where the copies are laid out.")
    return parser.parse_args()


def _version_before(present: str) -> str:
    """Return the last tag before the commit; where there is none, the commit before it."""
    try:
        return run(["git", "describe", "--tags", "--abbrev=0", f"{present}^"]).strip()
    except RehearsalError:
        return f"{present}^"


def _head(present: str) -> str:
    commit = run(["git", "log", "-1", "--format=%h, %cs", present]).strip()
    engine = run(["docker", "version", "--format", "{{.Server.Version}}"]).strip()
    compose = run(["docker", "compose", "version", "--short"]).strip()
    return f"Commit {commit}; Docker's engine {engine}, compose {compose}."


if __name__ == "__main__":
    main()
