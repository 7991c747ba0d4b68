"""From a municipality's YAML to the catalogue on the wire, with every fault named by its place."""

from services.cartas.domain.catalogue import Catalogue, Reading, read_catalogue
from services.cartas.domain.versions import Decision, Stored, decide
from shared.authoring.faults import Fault

__all__ = ["Catalogue", "Decision", "Fault", "Reading", "Stored", "decide", "read_catalogue"]
