"""Structured logs: one JSON object a line, constant event names, values as fields."""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

_BOUND: ContextVar[Mapping[str, Any]] = ContextVar("log_fields", default={})  # noqa: B039 - never mutated
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "color_message",
}


@contextmanager
def log_fields(**fields: Any) -> Iterator[None]:
    """Add `fields` to every record logged inside (event_id, traceparent, partition…)."""
    token = _BOUND.set({**_BOUND.get(), **fields})
    try:
        yield
    finally:
        _BOUND.reset(token)


def bound_field(name: str) -> Any:
    """Return the value that records logged here would have under `name`, None without one."""
    return _BOUND.get().get(name)


class JsonFormatter(logging.Formatter):
    """Our own and foreign loggers through one form. Never a body, never personal data."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "event": record.getMessage(),
            **_BOUND.get(),
            **{name: value for name, value in vars(record).items() if name not in _STANDARD},
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, default=str, ensure_ascii=False)


class ConsoleFormatter(logging.Formatter):
    """The same for a person's terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return time, level, event and fields on one line."""
        extra = {**_BOUND.get()}
        extra |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        time = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        fields = " ".join(f"{name}={value}" for name, value in extra.items())
        text = f"{time} {record.levelname:7} {record.name}: {record.getMessage()} {fields}"
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return text


def configure_logging(service: str, *, log_format: str, level: str) -> None:
    """Send every logger of the process through one formatter to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter(service) if log_format == "json" else ConsoleFormatter())
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for noisy in ("aiokafka", "httpx", "httpcore", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    for foreign in ("uvicorn", "uvicorn.error"):
        logging.getLogger(foreign).handlers.clear()
        logging.getLogger(foreign).propagate = True
