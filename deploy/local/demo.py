"""After `make demo`: the chain at work, each link shown as it arrives."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from pydantic import SecretStr

from deploy.local.environment import Layout
from shared.http.credentials import service_credential

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Link:
    """One thing a person can see happen: its words, and how it is found (None: not yet)."""

    text: str
    find: Callable[[], str | None]


def show_chain(layout: Layout) -> None:
    """Wait up to a minute for each link; say plainly which did not come."""
    with httpx.Client(timeout=5) as http:
        print("\nThe chain at work:")
        began = time.monotonic()
        missing = list(_links(layout, http))
        while missing and time.monotonic() - began < PATIENCE_SECONDS:
            missing = [link for link in missing if not _shown(link, began)]
            time.sleep(0.5)
        for link in missing:
            print(f"  not within {PATIENCE_SECONDS:.0f} s: {link.text}")


def _shown(link: Link, began: float) -> bool:
    try:
        found = link.find()
    except (httpx.HTTPError, LookupError, ValueError):
        return False
    if found:
        print(f"  after {time.monotonic() - began:4.1f} s  {link.text}: {found}", flush=True)
    return bool(found)


def _links(layout: Layout, http: httpx.Client) -> tuple[Link, ...]:
    from simulator import MUNICIPALITY  # only the demo needs the simulator

    ask = _Questions(layout, http, MUNICIPALITY)
    return (
        Link("a late case", ask.late_case),
        Link("a breach and its corrective action", ask.action),
        Link("an alert in the mailbox", ask.mail),
        Link("results on the public page", ask.public_results),
    )


@dataclass(frozen=True, slots=True)
class _Questions:
    """What is asked of the running services, as any operator could."""

    layout: Layout
    http: httpx.Client
    municipality: str

    def late_case(self) -> str | None:
        """Of a month or quarter that still runs: none of the past quarter's cases is in it."""
        for result in self._ask("evaluator", "/v1/results"):
            window = result["window"]
            is_running = datetime.fromisoformat(window["end"]) > datetime.now(UTC)
            is_short = window["kind"] in ("month", "quarter")
            if is_running and is_short and any(part["failed"] for part in result["parts"]):
                key = {"compromiso": result["compromiso"], "unit": result["unit"]}
                cases = self._ask("evaluator", "/v1/cases", **key, window=window["id"])["cases"]
                return f"{cases[0]['case']} of {result['compromiso']}" if cases else None
        return None

    def action(self) -> str | None:
        actions = self._ask("notifier", "/v1/actions")["actions"]
        return f"{actions[0]['action']} of {actions[0]['compromiso']}" if actions else None

    def mail(self) -> str | None:
        answer = self.http.get(f"{self.layout.mailbox_url}/api/v1/messages", params={"limit": 1})
        messages = answer.raise_for_status().json()["messages"]
        return str(messages[0]["Subject"]) if messages else None

    def public_results(self) -> str | None:
        url = f"{self.layout.url('portal')}/{self.municipality}/resultados.csv"
        rows = len(self.http.get(url).raise_for_status().text.splitlines()) - 1
        return f"{rows} rows at {url}" if rows > 0 else None

    def _ask(self, service: str, path: str, **query: str) -> Any:
        secret = SecretStr(self.layout.environment["CARTAS_SERVICE_SECRET"])
        answer = self.http.get(
            self.layout.url(service) + path,
            params={"municipality": self.municipality, **query},
            headers={"Authorization": f"Bearer {service_credential(secret)}"},
        )
        return answer.raise_for_status().json()
