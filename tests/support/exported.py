"""What the services export: asked of their own registries, nothing is started."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Final
from unittest import mock

from prometheus_client import CollectorRegistry, generate_latest
from pydantic import SecretStr

from deploy.local.environment import SERVICE_PORTS
from ops.backup.running import Job
from ops.backup.settings import BackupSettings
from tests.support.processes import environment_of

SUFFIXES: Final = {"counter": ("_total",), "info": ("_info",)}
PARTS: Final = {"histogram": ("_bucket", "_count", "_sum"), "summary": ("_count", "_sum")}


@dataclass(slots=True)
class Family:
    """A metric as its first service declares it; `name` is that of its samples."""

    name: str
    kind: str
    labels: tuple[str, ...]
    tells: str
    services: list[str] = field(default_factory=list)

    @property
    def series(self) -> tuple[str, ...]:
        """The names under which Prometheus keeps it."""
        return tuple(f"{self.name}{part}" for part in PARTS.get(self.kind, ("",)))


@lru_cache
def exported() -> Mapping[str, Family]:
    """Return every metric of the six services, and of the job that makes copies, by name."""
    found: dict[str, Family] = {}
    for service in (*SERVICE_PORTS, "backup"):
        for family in _families(registry_of(service)):
            found.setdefault(family.name, family).services.append(service)
    return found


@lru_cache
def registry_of(service: str) -> CollectorRegistry:
    """Return the registry that the service shows at /metrics."""
    if service == "backup":
        return _of_copies()
    with _settings():
        settings = import_module(f"services.{service}.settings").Settings()
    app = import_module(f"services.{service}.app").build_app(settings)
    registry: CollectorRegistry = app.state.registry
    return registry


def _of_copies() -> CollectorRegistry:
    registry = CollectorRegistry()
    nowhere = SecretStr("postgresql://nobody@127.0.0.1:1/nothing")
    Job(BackupSettings(dir=Path("/tmp"), database_url=nowhere), registry)
    return registry


def text_of(service: str) -> bytes:
    """Return what a process that has just begun shows at /metrics."""
    return generate_latest(registry_of(service))


def _families(registry: CollectorRegistry) -> Iterator[Family]:
    for collector in registry._collector_to_names:
        for metric in collector.collect():
            labels = getattr(collector, "_labelnames", getattr(metric, "_labelnames", ()))
            suffix = SUFFIXES.get(metric.type, ("",))[0]
            yield Family(f"{metric.name}{suffix}", metric.type, tuple(labels), metric.documentation)


@contextmanager
def _settings() -> Iterator[None]:
    """The least that every service wants to be told."""
    told = {"CARTAS_SMTP_HOST": "127.0.0.1", "CARTAS_NOTIFIER_SMTP_HOST": "127.0.0.1"}
    for service, port in SERVICE_PORTS.items():
        url = "postgresql://nobody@127.0.0.1/nothing"
        told |= environment_of(service, url, kafka="127.0.0.1:1", prefix="", port=port)
    with mock.patch.dict(os.environ, told):
        yield
