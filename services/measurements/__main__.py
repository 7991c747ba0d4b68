"""`python -m services.measurements`."""

from services.measurements.app import DESCRIBE, build_app
from services.measurements.commands import (
    balance_command,
    import_command,
    republish_command,
    source_group,
)
from services.measurements.retention import terms
from services.measurements.settings import Settings
from shared.cli import service_cli

main = service_cli("measurements", Settings, build_app, DESCRIBE, terms=terms)
main.add_command(source_group)
main.add_command(import_command)
main.add_command(balance_command)
main.add_command(republish_command)

if __name__ == "__main__":
    main()
