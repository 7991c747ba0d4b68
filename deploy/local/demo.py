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


@dataclass(frozen=True, slots=True)
class Alerted:
    """A corrective action, and the mailbox that was told first."""

    action: str
    mailbox: str


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


def alerted(layout: Layout) -> Alerted | None:
    """Return whom the alert of the live breach reached, None where there is none."""
    with httpx.Client(timeout=5) as http:
        try:
            return _questions(layout, http).alerted()
        except httpx.HTTPError:
            return None


def _questions(layout: Layout, http: httpx.Client) -> "_Questions":
    from simulator import MUNICIPALITY  # only the demo needs the simulator

    return _Questions(layout, http, MUNICIPALITY)


def _links(layout: Layout, http: httpx.Client) -> tuple[Link, ...]:
    ask = _questions(layout, http)
    return (
        Link("a late case", ask.late_case),
        Link("a breach and its corrective action", ask.action),
        Link("an alert in the mailbox", ask.mail),
        Link("a complaint found justified and its corrective action", ask.complaint),
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
        for result in self._ask("evaluator", "/v1/results")["results"]:
            window = result["window"]
            is_running = datetime.fromisoformat(window["end"]) > datetime.now(UTC)
            is_short = window["kind"] in ("month", "quarter")
            if is_running and is_short and any(part["failed"] for part in result["parts"]):
                key = {"compromiso": result["compromiso"], "unit": result["unit"]}
                cases = self._ask("evaluator", "/v1/cases", **key, window=window["id"])["cases"]
                return f"{cases[0]['case']} of {result['compromiso']}" if cases else None
        return None

    def action(self) -> str | None:
        found = self._newest_action(from_complaint=False)
        return f"{found['action']} of {found['compromiso']}" if found else None

    def mail(self) -> str | None:
        reached = self.alerted()
        if reached is None:
            return None
        answer = self.http.get(f"{self.layout.mailbox_url}/api/v1/messages", params={"limit": 100})
        subjects = [mail["Subject"] for mail in answer.raise_for_status().json()["messages"]]
        return next((str(each) for each in subjects if reached.action in each), None)

    def complaint(self) -> str | None:
        found = self._newest_action(from_complaint=True)
        if found is None:
            return None
        folio = next(trigger["folio"] for trigger in found["triggers"] if trigger["folio"])
        return f"{folio}, {found['action']} of {found['compromiso']}"

    def alerted(self) -> Alerted | None:
        """Of the live breach, by the notifier's ledger of what a mail server took."""
        action = self._newest_action(from_complaint=False)
        if action is None:
            return None
        ledger = self._ask("notifier", "/v1/deliveries", action=action["action"])["deliveries"]
        taken = [line["mailbox"] for line in ledger if line["outcome"] == "accepted"]
        return Alerted(action["action"], taken[-1]) if taken else None

    def _newest_action(self, *, from_complaint: bool) -> Any:
        """Of those that are open; None where there is none."""
        for listed in self._ask("notifier", "/v1/actions")["actions"]:
            whole = self._ask("notifier", f"/v1/actions/{listed['action']}")
            has_folio = any(trigger["folio"] for trigger in whole["triggers"])
            if whole["state"] != "closed" and has_folio is from_complaint:
                return whole
        return None

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
