"""The public address and the certificates: what people's browsers and our clients will meet."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from ops.doctor.findings import Finding, mend, unknown, well
from shared.clock import utc_now
from shared.settings import ServiceSettings

ANSWERS_WITHIN_SECONDS: Final = 5.0
RENEWED_BEFORE: Final = timedelta(days=21)
LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})
ASK_POSTGRES_FOR_TLS: Final = bytes.fromhex("0000000804d2162f")
"""SSLRequest of PostgreSQL's protocol; `S` is the answer of a server that has TLS."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a certificate is shown, and who must have signed it (None: whom the system trusts)."""

    what: str
    host: str
    port: int
    authority: Path | None = None
    preface: bytes = b""


async def look(settings: ServiceSettings) -> AsyncIterator[Finding]:
    """Yield the public address and each certificate that the settings lead to."""
    public = urlsplit(settings.public_url)
    if public.scheme != "https" and public.hostname not in LOCAL:
        do = "a proxy with a certificate before the portal, and CARTAS_PUBLIC_URL=https://..."
        yield mend("public address", f"{settings.public_url} is not encrypted", do)
    elif public.hostname in LOCAL:
        do = "CARTAS_PUBLIC_URL: links in mails and QR codes lead there"
        yield mend("public address", f"{settings.public_url} is this machine's only", do)
    else:
        yield well("public address", settings.public_url)
    for endpoint in endpoints(settings):
        yield await asyncio.to_thread(certificate, endpoint)


def endpoints(settings: ServiceSettings) -> list[Endpoint]:
    """Return where the settings say that there is TLS."""
    found: list[Endpoint] = []
    public = urlsplit(settings.public_url)
    if public.scheme == "https":
        host = public.hostname or ""
        found.append(Endpoint("certificate of the portal", host, public.port or 443))
    if settings.kafka_security_protocol in {"SSL", "SASL_SSL"}:
        for server in settings.kafka_servers.split(","):
            host, _, port = server.strip().rpartition(":")
            what = f"certificate of Kafka {server.strip()}"
            found.append(Endpoint(what, host, int(port), settings.kafka_ca_file))
    database = urlsplit(settings.database_url.get_secret_value())
    options = parse_qs(database.query)
    if options.get("sslmode", [""])[0] in {"require", "verify-ca", "verify-full"}:
        authority = options.get("sslrootcert")
        found.append(
            Endpoint(
                "certificate of PostgreSQL",
                database.hostname or "",
                database.port or 5432,
                Path(authority[0]) if authority else None,
                ASK_POSTGRES_FOR_TLS,
            )
        )
    return found


def certificate(endpoint: Endpoint) -> Finding:
    """Return until when the certificate holds that is shown there, and whether it is believed."""
    what = endpoint.what
    try:
        ends = _ends(endpoint)
    except ssl.SSLCertVerificationError as error:
        return mend(what, error.verify_message, "a certificate for this name by a known authority")
    except (OSError, ValueError) as error:
        return unknown(what, error)
    left = ends - utc_now()
    if left < RENEWED_BEFORE:
        return mend(what, f"ends {ends:%Y-%m-%d}, in {left.days} days", "renew it, and see why not")
    return well(what, f"until {ends:%Y-%m-%d}")


def _ends(endpoint: Endpoint) -> datetime:
    authority = str(endpoint.authority) if endpoint.authority else None
    context = ssl.create_default_context(cafile=authority)
    place = (endpoint.host, endpoint.port)
    with socket.create_connection(place, timeout=ANSWERS_WITHIN_SECONDS) as plain:
        if endpoint.preface:
            plain.sendall(endpoint.preface)
            if plain.recv(1) != b"S":
                raise ValueError("the server has no TLS")
        with context.wrap_socket(plain, server_hostname=endpoint.host) as encrypted:
            shown = encrypted.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)
