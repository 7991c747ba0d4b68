"""Which code a log speaks of."""

import subprocess

from tests.support.programs import PROJECT


def revision() -> str:
    """Return the commit that is checked out, shortened; a dash where there is none."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT)
    return done.stdout.strip() or "-"
