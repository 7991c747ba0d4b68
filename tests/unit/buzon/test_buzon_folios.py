import string
from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.buzon.domain.folios import (
    ALPHABET,
    MalformedFolioError,
    folio_number,
    parse_folio,
    plain,
)
from services.buzon.domain.secrets import (
    Keys,
    citizen_secret,
    keyed_hash,
    same_secret,
    secret_hash,
)

numbers = st.builds(folio_number, st.integers(1900, 9999), st.integers(1, 10**9))
KEYS = Keys.derive("r" * 32)


def test_the_alphabet_has_a_prime_number_of_symbols_that_are_not_misread() -> None:
    assert len(set(ALPHABET)) == 31
    assert not set("ILOUZ") & set(ALPHABET)


def test_a_folio_is_written_as_on_paper() -> None:
    # 2·2 + 3·8 + 4·4 + 5·1 + 8·4 + 9·2 + 11·2 = 121 = 3·31 + 28, the 28th symbol from 0 is W
    assert folio_number(2024, 1482) == "BZ-2024-001482-W"


@given(numbers)
def test_a_folio_is_read_back_however_it_was_typed(folio: str) -> None:
    bare = folio.replace("-", "")
    assert parse_folio(folio) == folio
    assert parse_folio(f" {bare.lower()} ") == folio
    assert parse_folio(bare.replace("0", "O").replace("1", "l")) == folio
    assert parse_folio(folio.replace("-", " – ")) == folio


@given(numbers, st.data())
def test_every_single_wrong_character_is_caught(folio: str, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from([n for n, sign in enumerate(folio) if sign != "-"]))
    wrong = data.draw(st.sampled_from(string.digits + string.ascii_uppercase))
    mistyped = folio[:place] + wrong + folio[place + 1 :]
    assume(plain(mistyped) != plain(folio))
    with pytest.raises(MalformedFolioError):
        parse_folio(mistyped)


@given(numbers, st.data())
def test_every_swap_of_neighbours_is_caught(folio: str, data: st.DataObject) -> None:
    bare = folio.replace("-", "")
    place = data.draw(st.integers(0, len(bare) - 2))
    swapped = bare[:place] + bare[place + 1] + bare[place] + bare[place + 2 :]
    assume(swapped != bare)
    with pytest.raises(MalformedFolioError):
        parse_folio(swapped)


@given(st.one_of(st.text(max_size=60), st.text("BZ-0123456789K", max_size=20)))
def test_any_other_text_is_malformed_and_nothing_else(text: str) -> None:
    with suppress(MalformedFolioError):
        assert parse_folio(text).startswith("BZ-")


def test_a_repeated_request_has_the_same_secret_and_another_one_has_another() -> None:
    secret = citizen_secret(KEYS.secret, "BZ-2026-000001-F", "request-one")
    assert secret == citizen_secret(KEYS.secret, "BZ-2026-000001-F", "request-one")
    assert secret != citizen_secret(KEYS.secret, "BZ-2026-000002-H", "request-one")
    assert secret != citizen_secret(KEYS.secret, "BZ-2026-000001-F", "request-two")
    assert secret != citizen_secret(Keys.derive("s" * 32).secret, "BZ-2026-000001-F", "request-one")


@given(st.text(min_size=1, max_size=40))
def test_secrets_are_made_of_the_alphabet(request_key: str) -> None:
    secret = citizen_secret(KEYS.secret, "BZ-2026-000001-F", request_key)
    first, second = secret.split("-")
    assert len(first) == len(second) == 5
    assert set(first + second) <= set(ALPHABET)


def test_a_secret_is_known_again_however_it_was_typed_and_only_for_its_folio() -> None:
    stored = secret_hash(KEYS.secret_hash, "BZ-2026-000001-F", "7QF40-N2WD1")
    typed = ("7QF40-N2WD1", "7qf4o n2wdi", " 7QF40N2WDl ")
    assert all(
        same_secret(KEYS.secret_hash, "BZ-2026-000001-F", text, stored=stored) for text in typed
    )
    assert not same_secret(KEYS.secret_hash, "BZ-2026-000001-F", "7QF40-N2WD2", stored=stored)
    assert not same_secret(KEYS.secret_hash, "BZ-2026-000002-H", "7QF40-N2WD1", stored=stored)
    assert not same_secret(KEYS.secret_hash, "BZ-2026-000001-F", "7QF40-N2WD1", stored=None)


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_different_parts_never_run_together(one: list[str], other: list[str]) -> None:
    assert (keyed_hash(b"k", *one) == keyed_hash(b"k", *other)) == (one == other)


def test_contacts_have_a_key_of_their_own() -> None:
    apart = Keys.derive("r" * 32, "c" * 32)
    assert apart.contact != KEYS.contact
    assert apart.secret == KEYS.secret
    assert len({KEYS.secret, KEYS.secret_hash, KEYS.request, KEYS.client, KEYS.contact}) == 5
