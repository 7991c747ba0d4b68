"""HEALTHCHECK of the image: is the service that this container runs ready?

Which one it is stands in the command line of the container's first process; its port in the
environment. A container that runs a command, no service, has nothing to ask. Standard library
alone, and little of it: it starts every few seconds.
"""

import os
import re
import sys
from http.client import HTTPConnection
from pathlib import Path

FIRST_PROCESS = Path("/proc/1/cmdline")
SERVES = re.compile(rb"(?:^|\0)services\.(\w+)\0serve\0")
ANSWERS_WITHIN_SECONDS = 4.0


def main() -> int:
    """Return 0 where it is ready, else 1 with its reasons in what `docker inspect` shows."""
    served = SERVES.search(FIRST_PROCESS.read_bytes())
    if served is None:
        return 0
    port = int(os.environ[f"CARTAS_{served[1].decode().upper()}_PORT"])
    connection = HTTPConnection("127.0.0.1", port, timeout=ANSWERS_WITHIN_SECONDS)
    try:
        connection.request("GET", "/health/ready")
        answer = connection.getresponse()
        sys.stdout.write(answer.read(2000).decode("utf-8", "replace"))
    except OSError as error:
        sys.stdout.write(f"no answer: {error}")
        return 1
    return 0 if answer.status == 200 else 1


if __name__ == "__main__":
    raise SystemExit(main())
