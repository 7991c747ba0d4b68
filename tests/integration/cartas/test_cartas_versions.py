"""The life of a version by command and over HTTP, on a real PostgreSQL and a real Kafka."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import datetime, time
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import httpx
import pytest
import pytest_asyncio
from click.testing import CliRunner
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from services.cartas.__main__ import main
from services.cartas.domain.life import Acta
from services.cartas.metrics import Metrics
from services.cartas.use_cases import versions
from services.cartas.use_cases.errors import UnacknowledgedError, WrongStateError
from services.cartas.use_cases.loading import load_catalogue
from services.cartas.use_cases.versions import Target
from shared.contracts.cartas import CartaPublished, Status
from shared.http.credentials import service_credential
from shared.messaging import transaction
from tests.integration.cartas.test_cartas_service import catalogue_of, published
from tests.integration.cartas.test_cartas_service import command as process
from tests.integration.cartas.towns import DAY, POST, catalogue, draft, today
from tests.support.databases import FreshDatabase
from tests.support.processes import SERVICE_SECRET, environment_of, running_service
from tests.support.servers import Servers

ACTA = ("--post", POST, "--body", "Comité Interno", "--acta", "CI-7", "--date", str(today()))
NEXT = str(today() + DAY)


async def command(database_url: str, *arguments: str) -> tuple[int, str, str]:
    """Run a command in this process: what it says and writes, without the start of a program."""
    environment = environment_of("cartas", database_url, kafka="127.0.0.1:1", prefix="", port=8005)
    run = partial(CliRunner().invoke, main, arguments, env=environment)
    result = await asyncio.to_thread(run)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result.exit_code, result.stdout, result.stderr


@pytest_asyncio.fixture
async def url(database: FreshDatabase) -> str:
    """A database with the catalogue loaded."""
    found = await database("cartas")
    async with asyncpg.create_pool(found) as pool, transaction(pool, service="cartas") as tx:
        await load_catalogue(tx, catalogue_of(catalogue()), b"")
    return found


@pytest_asyncio.fixture
async def pool(url: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(url) as opened:
        yield opened


async def rows(url: str, query: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        found: list[asyncpg.Record] = await connection.fetch(query)
        return found
    finally:
        await connection.close()


async def code_of(url: str, *approval: str) -> str:
    status, _, err = await command(url, *approval)
    assert status == 1, err
    found = re.search(r"--acknowledge ([0-9a-f]{8})", err)
    assert found is not None, err
    return found.group(1)


async def test_a_version_is_drafted_approved_published_and_replaces_the_one_before(
    url: str, tmp_path: Path
) -> None:
    file = tmp_path / "borrador.yaml"
    _, exported, _ = await command(url, "export", "RC-01")
    file.write_text(exported.replace("15", "10"), encoding="utf-8")
    status, out, err = await command(url, "check", str(file))
    assert (status, await rows(url, "SELECT FROM draft")) == (0, []), err
    assert re.search(r"Límite +≤ 15 minutos +≤ 10 minutos", out)

    assert (await command(url, "draft", str(file), "--post", POST))[0] == 0
    assert (await command(url, "draft", str(file), "--post", POST))[0] == 0
    approval = ("approve", "RC-01", "2", *ACTA, "--from", NEXT, "--document", "Gaceta 12")
    code = await code_of(url, *approval)
    for _ in range(2):
        status, out, err = await command(url, *approval, "--acknowledge", code)
        assert (status, "aprobada" in out) == (0, True), err
    for run in (process, command):
        status, out, err = await run(url, "publish", "RC-01", "2", "--post", POST)
        assert (status, "publicada" in out) == (0, True), err

    states = await rows(
        url, "SELECT version, valid_from, valid_to, status, data FROM state WHERE kind = 'carta'"
    )
    days = {row["version"]: (row["valid_from"], row["valid_to"]) for row in states}
    assert days[1][1] == today()
    assert days[2] == (today() + DAY, None)
    taken = await rows(url, "SELECT version, step, post FROM step ORDER BY step_id")
    assert [(row["version"], row["step"], row["post"]) for row in taken] == [
        (1, "loaded", None),
        (2, "drafted", POST),
        (2, "approved", POST),
        (1, "ended", POST),
        (2, "published", POST),
    ]
    _, out, _ = await command(url, "versions", "RC-01", "2")
    assert f"acta CI-7 del {today()}, Comité Interno" in out
    assert "Gaceta 12" in out
    assert "aviso reconocido: la versión 1 terminará" in out


async def test_a_version_that_never_held_is_withdrawn_and_the_one_before_goes_on(
    url: str, tmp_path: Path
) -> None:
    file = tmp_path / "borrador.yaml"
    file.write_text(draft(), encoding="utf-8")
    await command(url, "draft", str(file), "--post", POST)
    approval = ("approve", "RC-01", "2", *ACTA, "--from", NEXT)
    await command(url, *approval, "--acknowledge", await code_of(url, *approval))
    await command(url, "publish", "RC-01", "2", "--post", POST)
    retirement = ("retire", "RC-01", "2", "--post", POST, "--reason", "Recurso de la unidad")
    for _ in range(2):
        status, out, err = await command(url, *retirement)
        assert (status, "retirada" in out) == (0, True), err
    states = await rows(
        url, "SELECT version, valid_to, status FROM state WHERE kind = 'carta' ORDER BY version"
    )
    assert [tuple(row) for row in states] == [
        (1, None, "active"),
        (2, None, "retired"),
    ]
    assert (await command(url, "draft", str(file), "--post", POST))[1].startswith(
        "Se guardó el borrador: RC-01, versión 3."
    )


async def test_a_version_in_force_ends_today_or_later_and_cases_of_it_are_still_judged(
    url: str,
) -> None:
    back = ("retire", "RC-01", "1", "--post", POST, "--reason", "x", "--last", "2026-01-31")
    status, _, err = await command(url, *back)
    assert (status, "lo que estuvo vigente no se cambia" in err) == (1, True)
    last = str(today() + DAY)
    retirement = ("retire", "RC-01", "1", "--post", POST, "--reason", "x", "--last", last)
    assert (await command(url, *retirement))[0] == 0
    (state,) = await rows(url, "SELECT valid_to, status FROM state WHERE kind = 'carta'")
    assert tuple(state) == (today() + DAY, "active")


async def test_an_end_that_leaves_days_without_a_version_asks_first(
    url: str, tmp_path: Path
) -> None:
    file = tmp_path / "borrador.yaml"
    file.write_text(draft(), encoding="utf-8")
    await command(url, "draft", str(file), "--post", POST)
    approval = ("approve", "RC-01", "2", *ACTA, "--from", str(today() + 9 * DAY))
    await command(url, *approval, "--acknowledge", await code_of(url, *approval))
    await command(url, "publish", "RC-01", "2", "--post", POST)
    early = ("retire", "RC-01", "1", "--post", POST, "--reason", "x", "--last", str(today() + DAY))
    status, out, err = await command(url, *early)
    gap = f"del {today() + 2 * DAY} al {today() + 8 * DAY} no habrá versión vigente"
    assert (status, out, gap in err) == (1, "", True)
    assert (await command(url, *early, "--acknowledge", await code_of(url, *early)))[0] == 0
    ended = await rows(url, "SELECT valid_to, warnings FROM step ORDER BY taken_at DESC LIMIT 1")
    assert ended[0]["valid_to"] == today() + DAY
    assert gap in ended[0]["warnings"][0]


async def test_a_certificate_that_has_expired_is_not_noted(url: str) -> None:
    past = ("--until", str(today() - DAY), "--document", "AENOR 1")
    status, out, err = await command(url, "certify", "RC-01", "1", "--post", POST, *past)
    assert (status, out, "que ya pasó" in err) == (1, "", True)
    assert await rows(url, "SELECT FROM step WHERE step = 'certified'") == []
    today_still = ("--until", str(today()), "--document", "AENOR 1")
    assert (await command(url, "certify", "RC-01", "1", "--post", POST, *today_still))[0] == 0


async def test_errors_of_a_draft_are_kept_with_it_and_refuse_its_approval(
    url: str, tmp_path: Path
) -> None:
    file = tmp_path / "borrador.yaml"
    file.write_text(draft().replace("calendario: HAB", "calendario: NO"), encoding="utf-8")
    status, out, err = await command(url, "draft", str(file), "--post", POST)
    assert (status, "tiene errores" in out) == (0, True)
    assert "el calendario «NO» no existe; hay: HAB [error]" in err
    status, _, err = await command(url, "approve", "RC-01", "2", *ACTA, "--from", NEXT)
    assert (status, "el calendario «NO» no existe" in err) == (1, True)
    assert (await rows(url, "SELECT state FROM draft"))[0]["state"] == "draft"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("draft", "FILE", "--post", "enlace-rc"), "no es un puesto de la coordinación"),
        (("draft", "FILE", "--post", "nadie"), f"puede: {POST}"),
        (("publish", "RC-01", "1", "--post", POST), "ya está publicada: vino en un archivo"),
        (("publish", "RC-01", "9", "--post", POST), "no existe la versión 9 de RC-01"),
        (("approve", "RC-01", "9", *ACTA, "--from", NEXT), "no existe la versión 9"),
        (("export", "NADA"), "no existe la carta «NADA»; hay: RC-01"),
        (("versions", "RC-1"), "no existe la carta «RC-1»; hay: RC-01"),
        (("publish", "RC-1", "2", "--post", POST), "no existe la carta «RC-1»"),
        (("certify", "RC-1", "2", "--post", POST, "--document", "x"), "no existe la carta «RC-1»"),
        (("diff", "RC-01", "1", "--against", "7"), "no existe la versión 7 de RC-01"),
        (("diff", "RC-1", "2"), "no existe la carta «RC-1»"),
        (("export", "RC-01", "4"), "no existe la versión 4 de RC-01"),
        (("versions", "--municipality", "otro"), "«otro» no está publicado"),
        (("diff", "RC-01", "7"), "no existe la versión 7"),
        (("certify", "RC-01", "5", "--post", POST, "--document", "x"), "no está publicada"),
    ],
)
async def test_what_cannot_be_done_is_said_plainly(
    url: str, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    file = tmp_path / "borrador.yaml"
    file.write_text(draft(), encoding="utf-8")
    given = [str(file) if each == "FILE" else each for each in arguments]
    status, out, err = await command(url, *given)
    assert (status, out) == (1, "")
    assert said in err
    assert "Traceback" not in err
    assert await rows(url, "SELECT FROM draft") == []


@pytest.mark.parametrize("text", ["", "  ", "x" * 301])
@pytest.mark.parametrize(
    "arguments",
    [
        ("approve", *("--post", POST, "--acta", "1", "--date", NEXT, "--from", NEXT), "--body"),
        ("approve", *("--post", POST, "--body", "C", "--date", NEXT, "--from", NEXT), "--acta"),
        ("approve", *("--post", POST, "--body", "C", "--date", NEXT, "--from", NEXT), "--record"),
        ("approve", *ACTA, "--from", NEXT, "--document"),
        ("retire", "--post", POST, "--reason"),
        ("certify", "--post", POST, "--document"),
    ],
)
async def test_what_is_kept_on_record_is_said_and_fits_a_line(
    url: str, arguments: tuple[str, ...], text: str
) -> None:
    step, *options = arguments
    before = await rows(url, "SELECT * FROM step")
    status, out, err = await command(url, step, "RC-01", "1", *options, text)
    assert (status, out) == (2, "")
    assert options[-1] in err
    assert "se espera un texto de 1 a 300 caracteres" in err
    assert await rows(url, "SELECT * FROM step") == before


async def test_a_day_is_written_as_in_a_file(url: str) -> None:
    days = ("--until", "15/01/2029", "--document", "AENOR 1")
    status, out, err = await command(url, "certify", "RC-01", "1", "--post", POST, *days)
    assert (status, out) == (2, "")
    assert "se esperaba una fecha como 2026-09-16, no «15/01/2029»" in err


async def test_what_never_held_is_withdrawn_whole_and_has_no_last_day(
    url: str, tmp_path: Path
) -> None:
    file = tmp_path / "borrador.yaml"
    file.write_text(draft(), encoding="utf-8")
    await command(url, "draft", str(file), "--post", POST)
    retirement = ("retire", "RC-01", "2", "--post", POST, "--reason", "x")
    approval = ("approve", "RC-01", "2", *ACTA, "--from", NEXT)
    code = await code_of(url, *approval)
    for step in ((), (*approval, "--acknowledge", code), ("publish", "RC-01", "2", "--post", POST)):
        if step:
            assert (await command(url, *step))[0] == 0
        status, _, err = await command(url, *retirement, "--last", NEXT)
        assert (status, "la versión 2 aún no rige: se retira entera, sin último día" in err) == (
            1,
            True,
        )
    _, out, _ = await command(url, "versions", "RC-01")
    assert "publicada" in out


async def test_a_certificate_is_renewed_without_a_new_version(url: str) -> None:
    until = str(today() + 40 * DAY)
    renewal = ("certify", "RC-01", "1", "--post", POST, "--until", until, "--document", "AENOR 1")
    for _ in range(2):
        assert (await command(url, *renewal))[0] == 0
    _, soon, _ = await command(url, "certificates", "--within", "40")
    _, sooner, _ = await command(url, "certificates", "--within", "39")
    assert "faltan 40 días" in soon
    assert "Ninguna" in sooner
    assert len(await rows(url, "SELECT FROM step WHERE step = 'certified'")) == 1
    async with asyncpg.create_pool(url) as pool, transaction(pool, service="cartas") as tx:
        load = await load_catalogue(tx, catalogue_of(catalogue()), b"")
    assert not load.published


async def test_the_end_of_a_certificate_is_a_metric_until_its_renewal_moves_it(
    url: str, pool: asyncpg.Pool
) -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)

    async def end() -> float | None:
        async with pool.acquire() as connection:
            await metrics.read(connection)  # type: ignore[arg-type]
        name, labels = "cartas_certificate_end_timestamp_seconds", {"municipality": "cobre"}
        return registry.get_sample_value(name, {**labels, "carta": "RC-01"})

    assert await end() is None
    for days in (10, 40):
        until = today() + days * DAY
        renewal = ("--post", POST, "--until", str(until), "--document", f"AENOR {days}")
        assert (await command(url, "certify", "RC-01", "1", *renewal))[0] == 0
        midnight = datetime.combine(until + DAY, time(), ZoneInfo("America/Mexico_City"))
        assert await end() == midnight.timestamp()


async def test_an_older_file_changes_nothing_of_what_was_published_since(
    pool: asyncpg.Pool,
) -> None:
    await publish_second(pool)
    async with transaction(pool, service="cartas") as tx:
        load = await load_catalogue(tx, catalogue_of(catalogue()), b"")
    assert not load.published
    assert any("sigue como se decidió aquí" in each.message for each in load.warnings)


async def publish_second(pool: asyncpg.Pool) -> Target:
    target = Target("cobre", "RC-01", 2, POST)
    async with transaction(pool, service="cartas") as tx:
        await versions.draft(tx, draft().encode(), post=POST)
    acta = Acta("Comité", "CI-7", today(), today() + DAY)
    await approve(pool, target, acta)
    async with transaction(pool, service="cartas") as tx:
        await versions.publish(tx, target)
    return target


async def approve(pool: asyncpg.Pool, target: Target, acta: Acta) -> None:
    """As a person does: try, read the warnings, take note of them."""
    with pytest.raises(UnacknowledgedError) as warned:
        async with transaction(pool, service="cartas") as tx:
            await versions.approve(tx, target, acta)
    async with transaction(pool, service="cartas") as tx:
        await versions.approve(tx, target, acta, acknowledged=warned.value.code)


async def test_two_drafts_at_once_are_one_version(pool: asyncpg.Pool) -> None:
    async def keep(limit: int) -> int:
        async with transaction(pool, service="cartas") as tx:
            return (await versions.draft(tx, draft(limit).encode(), post=POST)).version

    assert list(await asyncio.gather(keep(10), keep(12))) == [2, 2]
    assert await pool.fetchval("SELECT count(*) FROM draft") == 1


async def test_an_approved_version_is_not_reworded(pool: asyncpg.Pool) -> None:
    await publish_second(pool)
    async with transaction(pool, service="cartas") as tx:
        await versions.draft(tx, draft(8).encode(), post=POST)
    acta = Acta("Comité", "CI-8", today(), today() + 2 * DAY)
    await approve(pool, Target("cobre", "RC-01", 3, POST), acta)
    with pytest.raises(WrongStateError, match="ya está aprobada"):
        async with transaction(pool, service="cartas") as tx:
            await versions.draft(tx, draft(7).encode(), post=POST)


async def test_the_api_takes_a_version_through_its_life_and_kafka_tells_of_it(
    url: str, servers: Servers, topic_prefix: str, tmp_path: Path
) -> None:
    credential = service_credential(SecretStr(SERVICE_SECRET))
    async with running_service(
        "cartas", url, kafka=servers.kafka, prefix=topic_prefix, log_dir=tmp_path
    ) as service:
        async with httpx.AsyncClient(base_url=service.url) as stranger:
            asked = await stranger.get("/v1/versions", params={"municipality": "cobre"})
            assert asked.status_code == 401
        headers = {"Authorization": f"Bearer {credential}"}
        async with httpx.AsyncClient(base_url=service.url, headers=headers) as http:
            await _live_through(http)
        events = await published(servers, topic_prefix, 9)
    cartas = [each.data for each in events if isinstance(each, CartaPublished)]
    ends = {(each.version, each.valid_to) for each in cartas}
    assert ends == {(1, None), (1, today()), (2, None)}
    assert all(each.status is Status.ACTIVE for each in cartas)
    second = next(each for each in cartas if each.version == 2)
    assert (second.approval.record, second.approval.post) == ("CI-7", POST)


async def _live_through(http: httpx.AsyncClient) -> None:
    file = (await http.get("/v1/versions/cobre/RC-01/1/file")).text
    body = {"post": POST, "content": file.replace("15", "10")}
    faulty = await http.post("/v1/drafts", json={**body, "content": "esquema: otro"})
    assert (faulty.status_code, faulty.json()["reason"]) == (422, "faults")
    forbidden = await http.post("/v1/drafts", json={**body, "post": "enlace-rc"})
    assert (forbidden.status_code, forbidden.json()["reason"]) == (403, "post")
    kept = (await http.post("/v1/drafts", json=body)).json()
    assert (kept["life"], kept["version"], kept["allowed"]) == (
        "borrador",
        2,
        ["approve", "retire"],
    )
    base = "/v1/versions/cobre/RC-01"
    early = await http.post(f"{base}/2/publish", json={"post": POST})
    assert (early.status_code, early.json()["reason"]) == (409, "state")
    acta: dict[str, Any] = {
        "post": POST,
        "body": "Comité",
        "record": "CI-7",
        "dated": str(today()),
        "valid_from": str(today() - DAY),
    }
    wrong = await http.post(f"{base}/2/approve", json=acta)
    assert (wrong.status_code, wrong.json()["reason"]) == (422, "terms")
    acta["valid_from"] = NEXT
    warned = (await http.post(f"{base}/2/approve", json=acta)).json()
    assert warned["reason"] == "warnings"
    acta["acknowledge"] = warned["acknowledge"]
    approved = await http.post(f"{base}/2/approve", json=acta)
    assert approved.json()["life"] == "aprobada"
    shown = (await http.post(f"{base}/2/publish", json={"post": POST})).json()
    assert shown["life"] == "publicada"
    (compromiso,) = shown["comparison"]["compromisos"]
    assert {"name": "Límite", "old": "≤ 15 minutos", "new": "≤ 10 minutos"} in compromiso["rows"]
    against = (await http.get(f"{base}/1/against/2")).json()
    assert (against["old_version"], against["new_version"]) == (2, 1)
    listed = (await http.get("/v1/versions", params={"municipality": "cobre"})).json()
    assert [(each["version"], each["life"]) for each in listed["versions"]] == [
        (2, "publicada"),
        (1, "vigente"),
    ]
    certificates = await http.get("/v1/certificates", params={"municipality": "cobre"})
    assert certificates.json() == {"certificates": []}
    missing = await http.get(f"{base}/9")
    assert (missing.status_code, missing.json()["reason"]) == (404, "unknown")
