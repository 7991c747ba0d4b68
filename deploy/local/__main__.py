"""`python -m deploy.local up|demo|down|reset|backup|restore|status|test-env`."""

import argparse
import os
import sys
from datetime import datetime

from deploy.local import commands, demo, supervisor
from deploy.local.errors import LocalError


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    known = ("up", "demo", "down", "reset", "backup", "restore", "status", "test-env", "supervise")
    parser.add_argument("command", choices=known)
    parser.add_argument("--until", type=instant, help="For restore, with its offset from UTC.")
    parser.add_argument("--demo", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    try:
        run(options.command, demo_mode=options.demo, until=options.until)
    except LocalError as error:
        sys.exit(f"error: {error}")
    except BrokenPipeError:  # whoever read our words went away; the system does not depend on it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        sys.exit("\nIt goes on in the background; `make down` stops it.")


def instant(text: str) -> datetime:
    """Return an aware instant. Raises ValueError."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("an instant needs its offset from UTC")
    return found


def run(command: str, *, demo_mode: bool, until: datetime | None = None) -> None:
    match command:
        case "up":
            commands.show_addresses(commands.up(demo=False))
            commands.show_first_steps()
        case "demo":
            layout = commands.up(demo=True)
            demo.show_chain(layout)
            commands.show_addresses(layout)
            reached = demo.alerted(layout)
            options = ("--unit", reached.mailbox, "--action", reached.action) if reached else ()
            commands.show_sign_in_links(layout, *options)
        case "down":
            commands.down()
        case "reset":
            commands.reset()
        case "backup":
            commands.backup()
        case "restore":
            commands.restore(until)
        case "status":
            commands.show_status()
        case "test-env":
            commands.test_environment()
        case _:
            supervisor.main(demo=demo_mode)


if __name__ == "__main__":
    main()
