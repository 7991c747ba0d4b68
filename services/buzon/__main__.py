"""`python -m services.buzon`: serve, migrate, dead letters, retention."""

from services.buzon.app import build_app
from services.buzon.retention import terms
from services.buzon.settings import Settings
from shared.cli import service_cli

cli = service_cli(
    "buzon", Settings, build_app, "What citizens say, and what is answered.", terms=terms
)


main = cli

if __name__ == "__main__":
    main()
