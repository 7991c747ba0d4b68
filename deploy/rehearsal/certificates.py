"""An authority and two servers' certificates, for a day; runs in a container, as root.

Kafka reads key and certificate from one file as its user 1000, PostgreSQL its key as 999 and only
if nobody else can.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOME = Path("/certificates")
KAFKA_USER, POSTGRES_USER = 1000, 999


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs certificates of servers; its key is nowhere but here."""

    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def certificate(self) -> bytes:
        """Return what a client has to know of it (PEM)."""
        own = x509.BasicConstraints(ca=True, path_length=0)
        builder = _builder("Rehearsal", self.key).add_extension(own, critical=True)
        return _pem(builder.sign(self.key, hashes.SHA256()))

    def server(self, name: str, *, addresses: Sequence[str] = ()) -> tuple[bytes, bytes]:
        """Return key and certificate (PEM) of a server that is called so, or by IP addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        ips = [x509.IPAddress(ip_address(address)) for address in addresses]
        names = x509.SubjectAlternativeName([x509.DNSName(name), *ips])
        builder = _builder(name, key).add_extension(names, critical=False)
        return _private(key), _pem(builder.sign(self.key, hashes.SHA256()))


def _builder(subject: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name("Rehearsal"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(file: str, content: bytes, owner: int) -> None:
    path = HOME / file
    path.write_bytes(content)
    path.chmod(0o600)
    os.chown(path, owner, owner)


def main() -> None:
    """Write all of them into the volume."""
    authority = Authority()
    (HOME / "authority.crt").write_bytes(authority.certificate())
    for server, owner in (("kafka", KAFKA_USER), ("postgres", POSTGRES_USER)):
        key, certificate = authority.server(f"{server}.municipio.example")
        _write(f"{server}.crt", certificate, owner)
        _write(f"{server}.key", key, owner)
        _write(f"{server}.pem", key + certificate, owner)


if __name__ == "__main__":
    main()
