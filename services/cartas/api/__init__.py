"""HTTP in: the catalogue for everybody, the steps of versions for our own services."""

from services.cartas.api import catalogue, versions

routers = (catalogue.router, versions.router)
