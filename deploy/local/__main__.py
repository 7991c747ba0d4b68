"""`python -m deploy.local up|demo|down|reset|status|test-env`."""

import argparse
import os
import sys

from deploy.local import commands, demo, supervisor
from deploy.local.errors import LocalError


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument(
        "command", choices=("up", "demo", "down", "reset", "status", "test-env", "supervise")
    )
    parser.add_argument("--demo", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    try:
        run(options.command, demo_mode=options.demo)
    except LocalError as error:
        sys.exit(f"error: {error}")
    except BrokenPipeError:  # whoever read our words went away; the system does not depend on it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        sys.exit("\nIt goes on in the background; `make down` stops it.")


def run(command: str, *, demo_mode: bool) -> None:
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
        case "status":
            commands.show_status()
        case "test-env":
            commands.test_environment()
        case _:
            supervisor.main(demo=demo_mode)


if __name__ == "__main__":
    main()
