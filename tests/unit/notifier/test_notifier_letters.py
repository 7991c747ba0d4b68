import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

import pytest
from pydantic import SecretStr

from services.notifier.letters import (
    OPENINGS,
    Deadlines,
    Letter,
    MailKind,
    Subject,
    action_letter,
    sign_in_letter,
)
from services.notifier.links import Links
from services.notifier.mails import Envelope, message_id, render
from services.notifier.spanish import figure_in_words
from tests.unit.notifier import builders as b

LINK = "https://cartas.puerto.example/a/token"
ABOUT = Subject(
    action="INC-2026-0017",
    municipality=b.municipality(),
    carta=b.carta(),
    compromiso=b.carta().compromisos[0],
    unit_name="Ventanilla Única",
    post_title=b.ENLACE.title,
    link=LINK,
)
ENVELOPE = Envelope(
    sender="avisos@puerto.example",
    sender_name="Cartas compromiso",
    mailbox="enlace@puerto.example",
    title="Enlace de carta, «Ventanilla»",
    message_id=message_id("abc", "avisos@puerto.example"),
    thread="<first@puerto.example>",
    date=b.NOON,
)
DEADLINES = Deadlines(date(2026, 9, 14), date(2026, 9, 25))
ACTION_KINDS = list(OPENINGS)


def letter(kind: MailKind = MailKind.BREACHED, **facts: Any) -> Letter:
    return action_letter(kind, ABOUT, b.breach(**facts).data, DEADLINES, reason="Falta la causa.")


def parsed(of: Letter, envelope: Envelope = ENVELOPE) -> EmailMessage:
    message = message_from_bytes(render(of, envelope), policy=policy.SMTP)
    assert isinstance(message, EmailMessage)
    return message


def bodies(message: EmailMessage) -> tuple[str, str]:
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    return plain.get_content(), html.get_content()


FACTS = (
    "Le atenderemos en un máximo de 15 minutos después de tomar su turno.",
    "84.8\u00a0% (178 de 210 casos)",
    "al menos 90\u00a0%",
    "agosto de 2026",
    "VU-1042, VU-1043 y 30 más",
    "lunes 14 de septiembre de 2026",
    "viernes 25 de septiembre de 2026",
    "la Coordinación de Mejora Regulatoria",
    "INC-2026-0017",
    LINK,
)


@pytest.mark.parametrize("fact", FACTS)
def test_html_and_text_say_the_same_facts(fact: str) -> None:
    plain, html = bodies(parsed(letter()))

    assert fact in " ".join(plain.split(" "))
    assert fact in html


def test_headers_thread_the_mails_and_keep_robots_quiet() -> None:
    message = parsed(letter())

    assert message["Message-ID"] == "<abc@puerto.example>"
    assert message["In-Reply-To"] == message["References"] == "<first@puerto.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["Content-Language"] == "es-MX"
    assert "List-Unsubscribe" not in message


@pytest.mark.parametrize("kind", ACTION_KINDS)
def test_the_subject_of_an_action_never_changes(kind: MailKind) -> None:
    subject = letter(kind).subject

    assert subject == "[INC-2026-0017] Acción correctiva solicitada: Pago del impuesto predial"


@pytest.mark.parametrize("kind", ACTION_KINDS)
def test_every_letter_addresses_the_reader_formally(kind: MailKind) -> None:
    plain, _ = bodies(parsed(letter(kind)))

    assert not re.search(r"\b(tu|tus|te|tienes|puedes|recibes|copia)\b", plain.lower())


def test_at_most_twenty_cases_are_listed_and_the_rest_counted() -> None:
    cases = tuple(f"VU-{number}" for number in range(25))
    html = bodies(parsed(letter(failing_cases=cases, failing_total=25)))[1]

    assert "VU-19 y 5 más" in html
    assert "VU-20" not in html


def test_the_text_of_others_is_never_markup() -> None:
    hostile = "<script>alert(1)</script>"
    html = bodies(parsed(letter(failing_cases=(hostile,), failing_total=1)))[1]

    assert hostile not in html
    assert "&lt;script&gt;" in html


def test_a_title_with_line_breaks_makes_no_header() -> None:
    envelope = Envelope(
        sender="avisos@puerto.example",
        sender_name="x",
        mailbox="a@b.example",
        title="Enlace\r\nBcc: otro@b.example",
        message_id="<a@b.example>",
        thread=None,
        date=b.NOON,
    )
    message = parsed(letter(), envelope)

    assert "Bcc" not in message
    assert [address.addr_spec for address in message["To"].addresses] == ["a@b.example"]


def test_lines_are_short_enough_for_any_server_and_gmail_does_not_clip() -> None:
    raw = render(letter(failing_cases=tuple("C" * 60 for _ in range(20))), ENVELOPE)

    assert max(map(len, raw.split(b"\r\n"))) <= 78
    assert len(raw) < 102_000


NAMES = (
    "Enlace",
    "Enlace, unidad (predial)",
    'Enlace de carta "Ventanilla" \\ Norte',
    "Dirección de Innovación Gubernamental y Mejora Regulatoria del Municipio de Puerto Alegre",
    "=?utf-8?q?Otro?=",
    "Enlace\x1b[31m",
)


@pytest.mark.parametrize("name", NAMES)
def test_names_and_subjects_come_out_as_they_went_in(name: str) -> None:
    raw = render(replace(letter(), subject=name), replace(ENVELOPE, title=name))
    headers = message_from_bytes(raw, policy=policy.compat32)
    shown, mailbox = parseaddr(headers["To"].replace("\r\n", ""))

    assert str(make_header(decode_header(shown))) == name
    assert str(make_header(decode_header(headers["Subject"]))) == name
    assert mailbox == "enlace@puerto.example"
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 78


def test_what_others_wrote_is_read_as_they_wrote_it() -> None:
    reason = "Falta la causa. \r\n.\nFrom: \t=_x= ñ" + "é" * 90
    paragraphs = (reason, "--", "x" * 200)
    plain, html = bodies(parsed(replace(letter(), paragraphs=paragraphs)))

    for line in ("Falta la causa.", ".", f"From: \t=_x= ñ{'é' * 90}", "--", "x" * 200):
        assert f"\r\n{line}\r\n" in plain
    assert "é" * 90 in html


def test_the_same_letter_is_the_same_bytes() -> None:
    assert render(letter(), ENVELOPE) == render(letter(), ENVELOPE)


def test_the_sign_in_mail_has_its_link_and_its_term() -> None:
    plain, html = bodies(parsed(sign_in_letter("https://x.example/entrar/k", 15)))

    for body in (plain, html):
        assert "https://x.example/entrar/k" in body
        assert "15 minutos" in body


def test_a_mean_says_its_unit_and_how_many_were_measured() -> None:
    part = b.share(
        form="mean",
        value=Decimal("18.3"),
        met=1208,
        items=1208,
        target=Decimal(1),
        target_op="<=",
        unit="min",
    )

    assert figure_in_words(part) == "18.3\u00a0minutos (1,208 casos medidos)"


def test_a_mail_rounds_like_a_page_and_never_up_to_the_target() -> None:
    part = b.share(value=Decimal("99.996"), met=24_999, numerator=24_999, target=Decimal(100))

    assert figure_in_words(part).startswith("99.996\u00a0% (24,999 de ")


LINKS = Links.of(SecretStr("a" * 32))


def test_a_link_says_action_post_and_version() -> None:
    claim = LINKS.read(LINKS.sign("INC-2026-0017", "enlace", 3))

    assert claim is not None
    assert (claim.action, claim.post, claim.version) == ("INC-2026-0017", "enlace", 3)


def test_a_link_of_another_key_or_a_changed_one_opens_nothing() -> None:
    token = LINKS.sign("INC-2026-0017", "enlace", 1)

    assert Links.of(SecretStr("b" * 32)).read(token) is None
    for wrong in (token[:-1], "x" + token, token.replace(".", ""), "", "a" * 5000, "á.é.í"):
        assert LINKS.read(wrong) is None, wrong
