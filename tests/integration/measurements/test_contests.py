"""A unit contests a case; the coordination decides; what it decided is a fact like any other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
from pydantic import SecretStr

from services.measurements.domain.contests import decider
from shared.contracts import hot, topics
from shared.http.credentials import service_credential
from tests.integration.measurements.support import BATCHED, QUEUE, Messages, System, event, native
from tests.support.processes import SERVICE_SECRET
from tests.support.waiting import eventually

STOP = "impugnado_registro_equivocado"
TEXT = "El turno se cerró desde otra ventanilla."


def filing(case: str = "A-1", **changes: Any) -> dict[str, Any]:
    body = {
        "municipality": "nogal",
        "post": "enlace",
        "case": case,
        "compromiso": "C-1",
        "unit": "REGISTRO",
        "window": "2026-Q4",
        "cutoff": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
        "excluded": False,
        "reason": STOP,
        "explanation": TEXT,
        "evidence": "Bitácora 14/2026, foja 3",
    }
    return body | changes


def acceptance(**changes: Any) -> dict[str, Any]:
    later = datetime.now(UTC) + timedelta(hours=1)
    body = {
        "municipality": "nogal",
        "post": "coordinacion",
        "cutoff": later.isoformat(),
        "excluded": False,
        "said": "Consta en la bitácora.",
    }
    return body | changes


REJECTION = {"municipality": "nogal", "post": "coordinacion-2", "said": "No consta."}
WITHDRAWAL = {"municipality": "nogal", "post": "enlace", "units": ["REGISTRO"]}


class Desk:
    """What the portal does for people."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def file(self, case: str = "A-1", **changes: Any) -> httpx.Response:
        return await self.http.post("/v1/contests", json=filing(case, **changes))

    async def filed(self, case: str = "A-1", **changes: Any) -> int:
        response = await self.file(case, **changes)
        assert response.status_code == 201, response.text
        return int(response.json()["contest"])

    async def step(self, contest: int, step: str, body: dict[str, Any]) -> httpx.Response:
        return await self.http.post(f"/v1/contests/{contest}/{step}", json=body)

    async def listed(self, **query: Any) -> list[dict[str, Any]]:
        response = await self.http.get("/v1/contests", params={"municipality": "nogal", **query})
        assert response.status_code == 200, response.text
        return list(response.json()["contests"])


@asynccontextmanager
async def desk(system: System, *cases: str) -> AsyncIterator[Desk]:
    """A desk in a town where these cases were measured."""
    await system.add_source()
    events = [event(case=case, minutes_ago=9) for case in cases]
    assert (await system.post(events, content_type=BATCHED)).status_code == 202
    await eventually(lambda: _has(system, len(cases)), what="the cases are measured")
    credential = service_credential(SecretStr(SERVICE_SECRET))
    headers = {"Authorization": f"Bearer {credential}"}
    async with httpx.AsyncClient(base_url=system.url, timeout=30, headers=headers) as http:
        yield Desk(http)


async def _has(system: System, number: int) -> bool:
    return await system.count("case_head") == number


async def test_an_accepted_contest_becomes_a_fact_of_the_case(system: System) -> None:
    async with (
        desk(system, "A-1") as office,
        system.messages(topics.MEASUREMENTS) as messages,
        system.messages(topics.SERVICE_EVENTS) as events,
    ):
        contest = await office.filed()
        assert await office.filed() == contest  # the form was sent twice
        accepted = await office.step(contest, "accept", acceptance())
        again = await office.step(contest, "accept", acceptance(said="Otra vez."))
        assert (accepted.status_code, again.json()) == (200, accepted.json())
        assert [s["step"] for s in accepted.json()["steps"]] == ["file", "accept"]

        async def excluded() -> hot.CaseMeasured | None:
            case = (await messages.cases()).get("A-1")
            return case if case is not None and case.data.exclusions else None

        measured = await eventually(excluded, what="the case is excluded")
        progress = await eventually(messages.progress, what="progress")
        sent = await eventually(lambda: _decision_on(events), what="the decision's event")
        texts = b"".join(messages.values + events.values)
    assert sent["data"] == {
        "municipality": "nogal",
        "case": "A-1",
        "service": "RC-ACTAS",
        "reason": STOP,
    }
    assert measured.data.exclusions == (STOP,)
    assert measured.data.change == "excluded"
    assert set(measured.data.sources) == {QUEUE, decider("nogal")}
    assert "case.excluded" not in measured.data.instants
    assert all(s.source != decider("nogal") for p in progress for s in p.data.sources)
    for private in (TEXT, "Bitácora", "enlace", "coordinacion"):
        assert private.encode() not in texts
    assert await system.balance() == {
        "events": 2,
        "facts": 2,
        "repeats": 0,
        "corrections": 0,
        "refused": 0,
    }
    assert decider("nogal") in await system.command("balance")


async def _decision_on(events: Messages) -> dict[str, Any] | None:
    raw = [msgspec.json.decode(value) for value in await events.read()]
    return next((each for each in raw if each["source"] == decider("nogal")), None)


async def test_a_rejected_contest_changes_nothing_and_is_final(system: System) -> None:
    async with desk(system, "A-1") as office:
        contest = await office.filed()
        for _ in range(2):
            rejected = await office.step(contest, "reject", REJECTION)
            assert (rejected.status_code, rejected.json()["state"]) == (200, "rejected")
        late = await office.step(contest, "accept", acceptance())
        assert (late.status_code, late.json()["reason"]) == (409, "already_decided")
        assert late.json()["contest"]["steps"][-1]["said"] == "No consta."
        withdrawn = await office.step(contest, "withdraw", WITHDRAWAL)
        assert withdrawn.json()["reason"] == "already_decided"
        assert await office.filed() == contest
        other = await office.file(explanation="Otra cosa.")
        assert (other.status_code, other.json()["reason"]) == (409, "already_contested")
    assert await system.count("fact") == 1


async def test_a_wrong_acceptance_is_taken_back_and_the_case_counts_again(
    system: System,
) -> None:
    async with desk(system, "A-1") as office, system.messages(topics.MEASUREMENTS) as messages:
        contest = await office.filed()
        early = await office.step(contest, "take_back", acceptance())
        assert (early.status_code, early.json()["reason"]) == (409, "not_accepted")
        await office.step(contest, "accept", acceptance())

        async def exclusions() -> tuple[str, ...] | None:
            found = (await messages.cases()).get("A-1")
            return None if found is None else found.data.exclusions

        async def is_out() -> bool:
            return await exclusions() == (STOP,)

        async def is_back() -> bool:
            return await exclusions() == ()

        assert await eventually(is_out, what="the case is excluded")
        body = acceptance(excluded=True, said="Error.")
        taken = await office.step(contest, "take_back", body)
        again = await office.step(contest, "take_back", body)
        for answer in (taken, again):
            assert (answer.status_code, answer.json()["state"]) == (200, "taken_back")
        steps = [(step["step"], step["said"]) for step in taken.json()["steps"]]
        assert steps[1:] == [("accept", "Consta en la bitácora."), ("take_back", "Error.")]
        assert await eventually(is_back, what="the case counts again")
        for step, body in (("accept", acceptance()), ("withdraw", WITHDRAWAL)):
            late = await office.step(contest, step, body)
            assert (late.status_code, late.json()["reason"]) == (409, "already_decided")
        assert await office.filed() == contest
    balance = await system.balance()
    assert (balance["facts"], balance["corrections"], balance["refused"]) == (2, 1, 0)


async def test_an_acceptance_is_taken_back_before_its_own_event_has_come_round(
    system: System,
) -> None:
    """The evaluator may not know yet that the case is excluded; the correction counts first."""
    async with desk(system, "A-1") as office:
        contest = await office.filed()
        await office.step(contest, "accept", acceptance())
        taken = await office.step(contest, "take_back", acceptance(said="De inmediato."))
        assert taken.status_code == 200
        assert await eventually(lambda: _facts(system, 3), what="both decisions are facts")


async def test_nothing_is_taken_back_after_the_cut_off(system: System) -> None:
    async with desk(system, "A-1") as office:
        contest = await office.filed()
        await office.step(contest, "accept", acceptance())
        past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
        late = await office.step(contest, "take_back", acceptance(cutoff=past, excluded=True))
        assert (late.status_code, late.json()["reason"]) == (409, "past_cutoff")
        unsaid = await office.step(contest, "take_back", acceptance(said=" "))
        assert unsaid.status_code == 422


async def test_of_two_who_take_it_back_at_once_one_does(system: System) -> None:
    async with desk(system, "A-1") as office:
        contest = await office.filed()
        await office.step(contest, "accept", acceptance())
        answers = await asyncio.gather(
            *(office.step(contest, "take_back", acceptance(excluded=True)) for _ in range(6))
        )
        assert {answer.status_code for answer in answers} == {200}
        assert await eventually(lambda: _facts(system, 3), what="one event takes it back")
    assert await system.count("contest_step") == 3


async def test_a_withdrawn_contest_may_be_filed_again(system: System) -> None:
    async with desk(system, "A-1") as office:
        first = await office.filed()
        for _ in range(2):
            withdrawn = await office.step(first, "withdraw", WITHDRAWAL)
            assert (withdrawn.status_code, withdrawn.json()["state"]) == (200, "withdrawn")
        decided = await office.step(first, "accept", acceptance())
        assert decided.json()["reason"] == "already_decided"
        second = await office.filed(explanation="Mejor explicado.")
        assert second != first
        assert [c["contest"] for c in await office.listed()] == [second, first]
        assert [c["contest"] for c in await office.listed(state="waiting")] == [second]


async def test_of_two_decisions_at_once_one_stands(system: System) -> None:
    async with desk(system, *(f"A-{n}" for n in range(8))) as office:
        contests = [await office.filed(f"A-{n}") for n in range(8)]
        answers = await asyncio.gather(
            *(office.step(contest, "accept", acceptance()) for contest in contests),
            *(office.step(contest, "reject", REJECTION) for contest in contests),
            *(office.step(contest, "accept", acceptance()) for contest in contests),
        )
        found = {c["contest"]: c for c in await office.listed()}
    for n, contest in enumerate(contests):
        own = answers[n::8]
        assert {a.status_code for a in own} <= {200, 409}
        agreed = {a.json()["state"] for a in own if a.status_code == 200}
        assert agreed == {found[contest]["state"]}
        assert len(found[contest]["steps"]) == 2
    accepted = sum(c["state"] == "accepted" for c in found.values())
    facts = await eventually(lambda: _facts(system, 8 + accepted), what="the decisions are facts")
    assert facts


async def _facts(system: System, number: int) -> bool:
    return await system.count("fact") == number


async def test_the_same_form_sent_many_times_at_once_is_one_contest(system: System) -> None:
    body = filing()
    async with desk(system, "A-1") as office:
        answers = await asyncio.gather(
            *(office.http.post("/v1/contests", json=body) for _ in range(10))
        )
        assert {a.status_code for a in answers} == {201}
        assert len({a.json()["contest"] for a in answers}) == 1
    assert await system.count("contest_step") == 1


REFUSED: list[tuple[dict[str, Any], int, str | None]] = [
    ({"case": "A-9"}, 404, "unknown"),
    ({"municipality": "otro"}, 404, "unknown"),
    ({"cutoff": "2026-01-15T06:00:00Z"}, 409, "past_cutoff"),
    ({"excluded": True}, 409, "already_excluded"),
    ({"reason": "turno_duplicado"}, 422, None),
    ({"explanation": "   "}, 422, None),
    ({"explanation": "x" * 2001}, 422, None),
    ({"explanation": "\x00"}, 422, None),
    ({"evidence": ""}, 422, None),
    ({"cutoff": "2026-01-15T06:00:00"}, 422, None),
    ({"folio": 1}, 422, None),
]


async def test_what_cannot_be_contested(system: System) -> None:
    async with desk(system, "A-1") as office:
        for changes, status, reason in REFUSED:
            answer = await office.http.post("/v1/contests", json=filing() | changes)
            found = (answer.status_code, answer.json().get("reason"))
            assert found == (status, reason), changes
        assert await office.listed() == []
        await system.pool.execute("UPDATE fact SET historical = true, import_id = 'i-1'")
        answer = await office.file()
        assert (answer.status_code, answer.json()["reason"]) == (409, "imported")


async def test_the_cut_off_counts_again_at_the_decision(system: System) -> None:
    async with desk(system, "A-1", "A-2") as office:
        first, second = await office.filed("A-1"), await office.filed("A-2")
        past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
        late = await office.step(first, "accept", acceptance(cutoff=past))
        assert (late.status_code, late.json()["reason"]) == (409, "past_cutoff")
        gone = await office.step(second, "accept", acceptance(excluded=True))
        assert (gone.status_code, gone.json()["reason"]) == (409, "already_excluded")
        assert (await office.step(first, "reject", REJECTION)).status_code == 200
    assert await system.count("fact") == 2


FILL = """
INSERT INTO fact (source_id, event_id, content, municipality, case_id, kind, happened_at, service,
                  void, historical, received_at)
SELECT source_id, 'more-' || n, content, municipality, case_id, kind, happened_at, service,
       void, historical, received_at
FROM fact, generate_series(1, 499) AS n
"""


async def test_a_case_without_room_for_the_decision_is_not_accepted_in_vain(
    system: System,
) -> None:
    async with desk(system, "A-1") as office:
        contest = await office.filed()
        await system.pool.execute(FILL)
        accepted = await office.step(contest, "accept", acceptance())
        assert (accepted.status_code, accepted.json()["reason"]) == (409, "full_case")
        assert (await office.step(contest, "reject", REJECTION)).status_code == 200


async def test_a_contest_of_another_unit_or_town_is_as_if_it_were_not_there(
    system: System,
) -> None:
    async with desk(system, "A-1") as office:
        contest = await office.filed()
        unknown = await office.http.get("/v1/contests/999", params={"municipality": "nogal"})
        assert unknown.status_code == 404
        for query in (
            {"municipality": "nogal", "unit": "OTRA"},
            {"municipality": "otro"},
        ):
            answer = await office.http.get(f"/v1/contests/{contest}", params=query)
            assert (answer.status_code, answer.json()) == (404, unknown.json())
            assert await office.listed(**query) == []
        for body in (WITHDRAWAL | {"units": ["OTRA"]}, WITHDRAWAL | {"municipality": "otro"}):
            answer = await office.step(contest, "withdraw", body)
            assert (answer.status_code, answer.json()) == (404, unknown.json())
        for number in (0, -1, 2**63, 10**30):
            assert (await office.step(number, "reject", REJECTION)).status_code == 404
        taken = await office.file(unit="OTRA")
        assert (taken.json()["reason"], "contest" in taken.json()) == ("already_contested", False)
        own = await office.listed(unit=["REGISTRO", "OTRA"])
        assert [c["contest"] for c in own] == [contest]


async def test_only_our_services_may_ask(system: System) -> None:
    token = await system.add_source()
    async with httpx.AsyncClient(base_url=system.url) as http:
        for headers in ({}, {"Authorization": f"Bearer {token}"}):
            for path in ("/v1/contests/1/accept", "/v1/contests"):
                answer = await http.post(path, json=filing(), headers=headers)
                assert answer.status_code == 401
            listing = await http.get("/v1/contests?municipality=nogal", headers=headers)
            assert listing.status_code == 401


async def test_nobody_else_speaks_for_the_coordination(system: System) -> None:
    """Over HTTP the name is refused; on Kafka, where any source can be named, the decision."""
    async with desk(system, "A-1", "A-2") as office:
        contest = await office.filed("A-1")
        await office.step(contest, "accept", acceptance())
        assert await eventually(lambda: _facts(system, 3), what="the decision is a fact")
        said = await system.post(event("case.excluded", case="A-2", reason=STOP))
        assert said.json()["refused"][0]["reason"] == "reserved_exclusion"
        own = await system.pool.fetchrow(
            "SELECT event_id, happened_at FROM fact WHERE kind = 'case.excluded'"
        )
        assert own is not None
        names = {"source": decider("nogal"), "time": own["happened_at"].isoformat()}
        genuine = event("case.excluded", case="A-1", event_id=own["event_id"], reason=STOP, **names)
        back = {"void": True, "supersedes": own["event_id"]}
        forged = [
            event("case.excluded", case="A-2", reason=STOP, **names),
            event("case.excluded", case="A-2", event_id=own["event_id"], reason=STOP, **names),
            genuine | {"data": genuine["data"] | {"reason": "impugnado_fuerza_mayor"}},
            genuine | {"data": genuine["data"] | {"supersedes": "x"}},
            genuine | {"id": "x", "data": genuine["data"] | back},
            event("ticket.called", case="A-2", event_id=own["event_id"], **names),
        ]
        await system.produce(*(native(each) for each in (*forged, genuine)))
        settled = await eventually(lambda: _settled(system, 11), what="all are accounted for")
    assert settled == {"events": 11, "facts": 3, "repeats": 1, "corrections": 0, "refused": 7}
    reasons = await system.pool.fetch("SELECT reason FROM refusal")
    # It decides and reports nothing else: another kind of event is none that it declared.
    assert {row["reason"] for row in reasons} == {"not_decided", "undeclared_kind"}


async def _settled(system: System, events: int) -> dict[str, int] | None:
    balance = await system.balance()
    assert balance["events"] == events, balance
    return balance
