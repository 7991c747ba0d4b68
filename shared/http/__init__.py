"""HTTP edges: problem responses, body limits, the services' own credential."""

from shared.http.addresses import PlainAddress
from shared.http.client import service_client
from shared.http.credentials import derived_key, require_service
from shared.http.limits import BodyLimit
from shared.http.problems import Problem, install_problems

__all__ = [
    "BodyLimit",
    "PlainAddress",
    "Problem",
    "derived_key",
    "install_problems",
    "require_service",
    "service_client",
]
