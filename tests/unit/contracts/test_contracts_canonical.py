from datetime import UTC, datetime
from decimal import Decimal

from pydantic import BaseModel, Field

from shared.contracts.canonical import canonical, digest, fingerprint
from shared.contracts.events import Instant, Part


class Told(Part):
    """One model."""

    name: str
    value: Decimal | None = None
    at: Instant


class Renamed(Part):
    """Another with other members."""

    nombre: str
    value: Decimal | None = None
    at: Instant


def annotated() -> type[BaseModel]:
    class Told(Part):
        """The same members, told otherwise."""

        name: str = Field(description="a name", title="Name of it")
        value: Decimal | None = Field(default=None, description="a value")
        at: Instant

    return Told


TOLD = Told(name="Ñ", value=Decimal("1.50"), at=datetime(2026, 9, 1, 6, tzinfo=UTC))


def test_members_are_sorted_and_nothing_is_left_out_or_escaped() -> None:
    expected = '{"at":"2026-09-01T06:00:00Z","name":"Ñ","value":"1.50"}'
    assert canonical(TOLD) == expected.encode()
    assert canonical(Told(name="", at=TOLD.at)).endswith(b'"value":null}')


def test_what_is_read_from_its_own_bytes_has_the_same_bytes() -> None:
    assert canonical(Told.model_validate_json(canonical(TOLD))) == canonical(TOLD)


def test_a_digit_more_is_another_text() -> None:
    other = Told(name="Ñ", value=Decimal("1.5"), at=TOLD.at)
    assert digest(canonical(other)) != digest(canonical(TOLD))
    assert len(digest(b"")) == 32


def test_the_fingerprint_knows_members_and_not_their_descriptions() -> None:
    assert fingerprint(Told) == fingerprint(annotated())
    assert fingerprint(Told) != fingerprint(Renamed)
