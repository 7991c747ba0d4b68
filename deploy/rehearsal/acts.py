"""The acts of the rehearsal: each leaves nothing behind."""

import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.rehearsal import looks
from deploy.rehearsal.book import Book, Step
from deploy.rehearsal.engine import System, copy_of, prepare, run

NAME: Final = "cartas-rehearsal"
SERVERS: Final = "deploy/rehearsal/servers.yml"
AUTHORITY: Final = "/certificates/authority.crt"

USERS: Final = """
for service in cartas measurements evaluator buzon notifier portal; do
    /opt/kafka/bin/kafka-configs.sh --bootstrap-server localhost:9094 --alter --entity-type users \
        --entity-name "cartas-$service" \
        --add-config "SCRAM-SHA-512=[password=$(cat /run/secrets/${service}_kafka_password)]"
done
"""
OWN_SERVERS: Final = """
COMPOSE_FILE=docker-compose.yml:deploy/compose/mail.yml:deploy/compose/kafka.yml:deploy/compose/postgres.yml:deploy/rehearsal/join.yml
CARTAS_REHEARSAL_NETWORK={network}
CARTAS_SMTP_HOST=smtp.municipio.example
CARTAS_SMTP_PORT=1025
CARTAS_KAFKA_SERVERS=kafka.municipio.example:9093
CARTAS_KAFKA_SECURITY_PROTOCOL=SASL_SSL
CARTAS_KAFKA_CA_FILE=/etc/cartas/authorities/kafka.crt
CARTAS_DATABASE_SERVER=postgres.municipio.example:5432
CARTAS_DATABASE_OPTIONS=?sslmode=verify-full&sslrootcert=/etc/cartas/authorities/postgres.crt
"""
ENCRYPTED: Final = """
SELECT count(*) FILTER (WHERE ssl) || ' of ' || count(*) || ' connections ' || max(version)
FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
WHERE usename IN ('cartas', 'measurements', 'evaluator', 'buzon', 'notifier', 'portal')
"""
WITHOUT_TLS: Final = """
import asyncio, asyncpg
from services.portal.settings import Settings
address = Settings().database_url.get_secret_value().split("?")[0] + "?sslmode=disable"
asyncio.run(asyncpg.connect(address))
"""
STRANGER: Final = """
import asyncio
from shared.messaging.topics import _TopicSettings, topic_id
asyncio.run(topic_id(_TopicSettings(kafka_password="wrong"), "cartas.v1"))
"""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Where it is played, and what is looked at: a commit, and one before it."""

    book: Book
    folder: Path
    present: str
    previous: str

    def home(self, act: str, reference: str) -> Path:
        """Lay out a copy for an act."""
        home = self.folder / act
        home.mkdir()
        copy_of(reference, home)
        return home

    def first_time(self) -> None:
        """From nothing to the breach in the mailbox, then down and up again."""
        system = System(self.home("first", self.present), NAME)
        try:
            self._begin(system)
            self._look(system)
            self._again(system)
            self._rotate(system)
        finally:
            system.down(data=True)

    def _begin(self, system: System) -> None:
        with self.book.step("`docker compose up` before the secrets are made") as step:
            refused = system.compose("up", "-d", fails=True).strip().splitlines()[-1]
            looks.expect("prepare.sh" in refused, refused)
            step.see(f"refuses: {refused.rsplit(': ', 1)[-1]}")
        with self.book.step("the image is built") as step:
            prepare(system.home)
            system.compose("build")
            looks.image(step, "cartas-compromiso")
        with self.book.step("up from nothing, with the demo") as step:
            system.up("demo")
            looks.health(step, system)

    def _look(self, system: System) -> None:
        with self.book.step("the demo's breach in the mailbox") as step:
            looks.breach(step)
        with self.book.step("what a container may do") as step:
            looks.confinement(step, system)
            looks.privileges(step, system)
        with self.book.step("is it well, do its figures agree") as step:
            looks.agreement(step, system)
            looks.monitoring(step)

    def _again(self, system: System) -> None:
        with self.book.step("`down`, then `up` again") as step:
            system.compose("stop", "simulator")
            looks.agreement(step, system)
            before, records = looks.kept(system), looks.records(system)
            step.see(f"before: {looks.said(before)}; {records:,} records in Kafka")
            system.down()
            system.up()
            looks.health(step, system)
            looks.nothing_lost(step, before, looks.kept(system))
            after = looks.records(system)
            looks.expect(after >= records, f"{records} records, then {after}")
            step.see(f"{after:,} records in Kafka")

    def _rotate(self, system: System) -> None:
        with self.book.step("another password for the portal's role") as step:
            file = system.home / "secrets" / "portal_database_password"
            file.write_text("another-password-of-the-portal")
            system.compose("up", "-d", "--force-recreate", "--wait")
            looks.health(step, system)
            step.see("the file changed, `up --force-recreate`: role and service have it")

    def upgrade(self) -> None:
        """The version before, with data, then this one over its volumes."""
        before = System(self.home("previous", self.previous), NAME)
        present = System(self.home("upgrade", self.present), NAME)
        try:
            prepare(present.home)
            secrets = present.home / "secrets"
            had_contact_key = (before.home / "deploy/compose/prepare.sh").exists()
            if not had_contact_key:
                shutil.copyfile(secrets / "service_secret", secrets / "contact_key")
            rows = self._previous(before, secrets)
            self._over_it(present, rows)
        finally:
            present.down(data=True)

    def _previous(self, system: System, secrets: Path) -> dict[str, int]:
        more = {
            "CARTAS_SECRETS_DIR": str(secrets),
            "CARTAS_IMAGE": f"{NAME}-previous",
            "CARTAS_DATABASE_PASSWORD": (secrets / "postgres_password").read_text(),
            "CARTAS_SERVICE_SECRET": (secrets / "service_secret").read_text(),
        }
        (system.home / ".env").write_text("".join(f"{k}={v}\n" for k, v in more.items()))
        with self.book.step("the version before, with a quarter of data") as step:
            step.see(f"commit {_commit(self.previous)}")
            system.up(build=True)
            seed = ("run", "--rm", "--no-deps", "-e", "CARTAS_ENV_FILE=/tmp/none", "setup")
            system.compose(*seed, "python -m simulator seed")
            looks.agreement(step, system)
            rows = looks.kept(system)
            step.see(f"before: {looks.said(rows)}")
        return rows

    def _over_it(self, system: System, rows: dict[str, int]) -> None:
        with self.book.step("upgraded: `build`, `up`") as step:
            step.see(f"commit {_commit(self.present)}")
            system.compose("build")
            began = time.monotonic()
            system.up()
            step.see(f"away for {time.monotonic() - began:.0f} s at most")
            applied = [
                line.split("applied ")[1]
                for line in system.compose("logs", "--no-log-prefix", "setup").splitlines()
                if "applied " in line
            ]
            step.see(f"migrations applied: {', '.join(applied) or 'none, none is new'}")
            looks.health(step, system)
            looks.agreement(step, system)
            looks.nothing_lost(step, rows, looks.kept(system))

    def own_servers(self) -> None:
        """Kafka, PostgreSQL and mail that are there already, with TLS and passwords."""
        home = self.home("own", self.present)
        servers = System(home, f"{NAME}-servers", (SERVERS,))
        system = System(home, NAME)
        try:
            self._servers(servers)
            self._settle(system, servers)
            self._secured(system, servers)
        finally:
            system.down(data=True)
            servers.down(data=True)

    def _servers(self, servers: System) -> None:
        with self.book.step(
            "a Kafka, a PostgreSQL and a mail server that are there already"
        ) as step:
            prepare(servers.home, more=OWN_SERVERS.format(network=f"{servers.name}_default"))
            System(servers.home, NAME).compose("build", "portal")
            servers.up()
            servers.inside("kafka", "bash", "-ec", USERS)
            authority = servers.inside("postgres", "cat", AUTHORITY)
            for name in ("kafka.crt", "postgres.crt"):
                (servers.home / "secrets" / "authorities" / name).write_text(authority + "\n")
            step.see("Kafka: SASL_SSL, SCRAM-SHA-512, a user a service; PostgreSQL: TLS or nothing")

    def _settle(self, system: System, servers: System) -> None:
        with self.book.step("up beside them: nothing but `.env` says so") as step:
            system.up("demo")
            looks.health(step, system)
            own = {"kafka", "postgres", "mailbox", "databases", "backup"} & system.states().keys()
            looks.expect(not own, f"ours were started: {own}")
            looks.breach(step)
            looks.agreement(step, system)

    def _secured(self, system: System, servers: System) -> None:
        with self.book.step("TLS and passwords are really asked for") as step:
            encrypted = servers.sql("postgres", ENCRYPTED)
            looks.expect(_all(encrypted), encrypted)
            step.see(f"PostgreSQL: {encrypted}")
            self._refused(step, system, "without TLS", WITHOUT_TLS, "no encryption")
            self._refused(step, system, "a wrong password at Kafka", STRANGER, "uthentication")
            self._strange_authority(step, system)

    def _refused(self, step: Step, system: System, what: str, program: str, reason: str) -> None:
        service = "portal" if "services.portal" in program else "cartas"
        said = system.inside(service, "python", "-c", program, fails=True)
        told = [line for line in said.splitlines() if reason in line]
        looks.expect(bool(told), said)
        step.see(f"{what}: `{told[-1].strip()[:200]}`")

    def _strange_authority(self, step: Step, system: System) -> None:
        """Who does not know the authority does not speak to the servers."""
        public = "CARTAS_KAFKA_CA_FILE=/etc/ssl/certs/ca-certificates.crt"
        create = "python -m shared.messaging.topics create"
        said = system.compose("run", "--rm", "--no-deps", "-e", public, "setup", create, fails=True)
        told = re.search(r"CERTIFICATE_VERIFY_FAILED[^(]*", said)
        looks.expect(told is not None, said)
        step.see(f"an authority that is not known: `{told and told[0].strip()}`")


def _all(told: str) -> bool:
    """`12 of 12 connections TLSv1.3`."""
    words = told.split()
    return len(words) == 5 and words[0] == words[2] != "0"


def _commit(reference: str) -> str:
    if Path(reference).is_dir():
        return f"in {Path(reference).name}"
    return run(["git", "log", "-1", "--format=%h (%cs)", reference]).strip()
