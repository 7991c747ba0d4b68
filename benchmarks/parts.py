"""Where the loops of running services spend their time, from their own metrics."""

from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from tests.support.systems import System

METRIC = "cartas_part_seconds"


@dataclass(frozen=True, slots=True)
class Part:
    """How often a part of a loop was gone through, and in how many seconds together."""

    service: str
    loop: str
    part: str
    count: float
    seconds: float

    @property
    def place(self) -> tuple[str, str, str]:
        """Which part it is."""
        return self.service, self.loop, self.part

    def line(self, within_seconds: float) -> str:
        """Return a line of a table: how often a second, mean, and share of each second."""
        mean, share = 1000 * self.seconds / self.count, 1000 * self.seconds / within_seconds
        often = self.count / within_seconds
        return f"| {' | '.join(self.place)} | {often:.1f} | {mean:.2f} | {share:.0f} |"


async def read_parts(system: System, services: Iterable[str]) -> list[Part]:
    """Ask each service for its metrics."""
    parts = []
    for service in services:
        async with system.client(service) as http:
            text = (await http.get("/metrics")).text
        found: dict[tuple[str, str], dict[str, float]] = {}
        for family in text_string_to_metric_families(text):
            if family.name == METRIC:
                for sample in family.samples:
                    place = sample.labels["loop"], sample.labels["part"]
                    found.setdefault(place, {})[sample.name] = sample.value
        parts += [
            Part(service, *place, values[f"{METRIC}_count"], values[f"{METRIC}_sum"])
            for place, values in found.items()
        ]
    return parts


def parts_between(before: Iterable[Part], after: Iterable[Part]) -> list[Part]:
    """Return what was added between two readings, without what was not gone through."""
    known = {part.place: part for part in before}
    added = []
    for part in after:
        old = known.get(part.place)
        count = part.count - (old.count if old else 0)
        seconds = part.seconds - (old.seconds if old else 0)
        if count:
            added.append(Part(*part.place, count, seconds))
    return added


def part_table(parts: Iterable[Part], within_seconds: float) -> str:
    """Return the parts in Markdown, the longest first; shares are of the wall clock."""
    rows = sorted(parts, key=lambda part: -part.seconds)
    return "\n".join(
        [
            "| service | loop | part | times/s | ms each | ms a second |",
            "|---|---|---|---|---|---|",
            *(part.line(within_seconds) for part in rows if part.count),
        ]
    )
