"""What is looked at in a system that runs."""

import json
import re
from typing import Final

from deploy.rehearsal.book import RehearsalError, Step
from deploy.rehearsal.engine import System, ask, run, wait_for

SERVICES: Final = ("cartas", "measurements", "evaluator", "buzon", "notifier", "portal")
ALERT: Final = re.compile(r"\[(\S+)\] Acción correctiva solicitada")
# What must be there again, of each database that keeps something of its own.
KEPT: Final = {
    "measurements": ("fact",),
    "buzon": ("folio", "contact"),
    "notifier": ("action",),
    "portal": ("result",),
}
NO_COMPILER: Final = (
    "for each in gcc g++ cc c++ clang make ld node npm; do command -v $each && exit 1; done; true"
)


def expect(condition: bool, words: str) -> None:
    if not condition:
        raise RehearsalError(words)


def image(step: Step, name: str) -> None:
    """Its size, its user, what is not in it."""
    told = json.loads(run(["docker", "image", "inspect", name]))[0]
    config = told["Config"]
    layers = run(["docker", "history", "--format", "{{.Size}}|{{.CreatedBy}}", name]).splitlines()
    ours = [
        line.split("|")[0] for line in layers if "COPY /opt/venv" in line or "COPY /app" in line
    ]
    step.see(f"{told['Size'] // 10**6} MB; of it program and packages {' + '.join(ours)}")
    run(["docker", "run", "--rm", "--entrypoint", "sh", name, "-c", NO_COMPILER])
    expect(config["User"] == "cartas" and "Healthcheck" in config, "no user, no health check")
    step.see(f"user `{config['User']}`, HEALTHCHECK, no compiler, no Node.js")


def health(step: Step, system: System) -> None:
    """Who is healthy and who ended."""
    states = system.states()
    healthy = sorted(name for name, state in states.items() if "(healthy)" in state)
    ended = sorted(name for name, state in states.items() if "Exited (0)" in state)
    step.see(f"healthy: {', '.join(healthy)}")
    step.see(f"ended with 0: {', '.join(ended)}")
    others = states.keys() - set(healthy) - set(ended)
    expect(not others and set(SERVICES) <= set(healthy), f"not well: {states}")


def confinement(step: Step, system: System) -> None:
    """What is published, and what a service of ours can touch."""
    published = {
        f"{each['HostIp']}:{each['HostPort']}"
        for service in system.states()
        for bound in (system.inspect(service)["NetworkSettings"]["Ports"] or {}).values()
        for each in bound or ()
    }
    expect(all(each.startswith("127.0.0.1:") for each in published), f"published: {published}")
    step.see(f"{len(published)} ports published, all on 127.0.0.1")
    uid = system.inside("portal", "id", "-u")
    said = system.inside("portal", "touch", "/app/new", fails=True)
    expect("Read-only" in said, said)
    step.see(f"uid {uid}, `touch /app/new`: read-only file system")
    host = system.inspect("portal")["HostConfig"]
    expect(host["CapDrop"] == ["ALL"] and host["Memory"] > 0, "capabilities or no limit")
    secrets = system.inside("portal", "ls", "/run/secrets").split()
    step.see(f"portal's secrets: {', '.join(secrets)}")


ENTER: Final = """
import asyncio, asyncpg
from services.portal.settings import Settings
address = Settings().database_url.get_secret_value().replace(":5432/portal", ":5432/buzon")
asyncio.run(asyncpg.connect(address))
"""
ROLES: Final = """
SELECT count(*) FROM pg_roles WHERE rolcanlogin AND rolname <> 'postgres'
AND NOT (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)
"""


def privileges(step: Step, system: System) -> None:
    """A service's role enters its own database and no other."""
    said = system.inside("portal", "python", "-c", ENTER, fails=True)
    denied = re.search(r"permission denied for database .*", said)
    expect(denied is not None, said)
    step.see(f"portal's role at the buzon's database: `{denied and denied[0]}`")
    expect(system.sql("postgres", ROLES) == str(len(SERVICES)), "a role can do too much")
    step.see(f"{len(SERVICES)} roles, none of them superuser or maker of roles or databases")


def breach(step: Step) -> None:
    """The demo's live breach, as the responsible unit's mailbox has it."""

    def find() -> str | None:
        messages = ask("CARTAS_MAILBOX_AT", "/api/v1/messages?limit=100")["messages"]
        for message in messages:
            if ALERT.search(message["Subject"]):
                return f"«{message['Subject']}» to {message['To'][0]['Address']}"
        return None

    step.see(wait_for("an alert in the mailbox", find))


def agreement(step: Step, system: System) -> None:
    """What the operator's own commands say."""

    def verified() -> str | None:
        try:
            return system.inside("portal", "python", "-m", "ops", "verify", "--json")
        except RehearsalError:
            return None

    told = json.loads(wait_for("ops verify agrees", verified))
    step.see(f"`ops verify`: {len(told)} checks, all agree")
    wait_for("ops status is well", lambda: _status(system))
    step.see("`ops status`: well")


def _status(system: System) -> str | None:
    try:
        return system.inside("portal", "python", "-m", "ops", "status")
    except RehearsalError:
        return None


def monitoring(step: Step) -> None:
    """Prometheus sees every service, knows the rules and Alertmanager."""

    def up() -> str | None:
        targets = ask("CARTAS_PROMETHEUS_AT", "/api/v1/targets")["data"]["activeTargets"]
        well = {each["labels"]["job"] for each in targets if each["health"] == "up"}
        return ", ".join(sorted(well)) if set(SERVICES) <= well else None

    step.see(f"Prometheus sees {wait_for('all targets up', up)}")
    groups = ask("CARTAS_PROMETHEUS_AT", "/api/v1/rules")["data"]["groups"]
    alerts = sum(rule["type"] == "alerting" for group in groups for rule in group["rules"])
    known = ask("CARTAS_PROMETHEUS_AT", "/api/v1/alertmanagers")["data"]["activeAlertmanagers"]
    version = ask("CARTAS_ALERTMANAGER_AT", "/api/v2/status")["versionInfo"]["version"]
    expect(alerts > 0 and len(known) == 1, "no rules, or nobody to tell")
    step.see(f"{alerts} alerting rules; Alertmanager {version} is known")


def kept(system: System) -> dict[str, int]:
    """Return how many rows there are of what must not be lost."""
    return {
        f"{database}.{table}": int(system.sql(database, f"SELECT count(*) FROM {table}"))
        for database, tables in KEPT.items()
        for table in tables
    }


def records(system: System) -> int:
    """Return how many records Kafka's topics hold."""
    tool = "/opt/kafka/bin/kafka-get-offsets.sh"
    lines = system.inside("kafka", tool, "--bootstrap-server", "kafka:9092", "--topic", r".*\.v1")
    return sum(int(line.rsplit(":", 1)[1]) for line in lines.splitlines())


def said(rows: dict[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in rows.items())


def nothing_lost(step: Step, before: dict[str, int], after: dict[str, int]) -> None:
    """Facts and folios come from outside, and nobody sent any: they are the same ones."""
    expect(all(after[name] >= number for name, number in before.items()), f"{before} {after}")
    for name in ("measurements.fact", "buzon.folio", "buzon.contact"):
        expect(after[name] == before[name], f"{name}: {before[name]}, then {after[name]}")
    step.see(f"after: {said(after)}")
