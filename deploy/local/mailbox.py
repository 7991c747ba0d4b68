"""A catch-all mailbox: takes every mail over SMTP, keeps it, shows it on a page and over JSON.

Mails are hostile input to the page: HTML is shown in a sandboxed frame without scripts.
"""

import argparse
import email
import email.policy
import html
import itertools
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import uvicorn
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from fastapi import FastAPI, HTTPException, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from deploy.local.paths import RUN

HOST = "127.0.0.1"
KEPT_MAILS = 5000
LARGEST_MAIL_BYTES = 20_000_000
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'"
MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
STYLE = """<style>body{font:16px/1.5 system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.4rem;
border-bottom:1px solid #ccc}iframe{width:100%;height:40rem;border:1px solid #ccc}
pre{white-space:pre-wrap;background:#f4f4f4;padding:1rem}</style>"""


@dataclass(frozen=True, slots=True)
class Mail:
    """One accepted message, with the envelope it came in."""

    id: str
    received: datetime
    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        parsed = email.message_from_bytes(self.raw, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    def part(self, kind: str) -> str:
        """Text of the first part of that kind ("plain", "html"), or nothing."""
        body = self.message.get_body((kind,))
        return str(body.get_content()) if body else ""

    def summary(self) -> dict[str, Any]:
        message = self.message
        return {
            "ID": self.id,
            "MessageID": str(message["Message-ID"] or "").strip("<>"),
            "From": str(message["From"] or self.sender),
            "To": list(self.recipients),
            "Subject": str(message["Subject"] or ""),
            "Created": self.received.isoformat(),
            "Size": len(self.raw),
        }


class Mails:
    """All mails, newest last; one file each, so that they survive a restart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.Lock()
        self.by_id: dict[str, Mail] = {}
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(folder.glob("*.eml")):
            self._remember(_read(path))
        self.ids = itertools.count(int(max(self.by_id, default="0")) + 1)

    def _remember(self, mail: Mail) -> None:
        self.by_id[mail.id] = mail
        while len(self.by_id) > KEPT_MAILS:
            oldest = next(iter(self.by_id))
            del self.by_id[oldest]
            (self.folder / f"{oldest}.eml").unlink(missing_ok=True)

    def add(self, sender: str, recipients: list[str], raw: bytes) -> None:
        """Keep the mail on disk before the sender is told that it was taken."""
        with self.lock:
            mail_id = f"{next(self.ids):08d}"
            mail = Mail(mail_id, datetime.now(UTC), sender, tuple(recipients), raw)
            (self.folder / f"{mail_id}.eml").write_bytes(_envelope_lines(mail) + raw)
            self._remember(mail)

    def newest_first(self) -> list[Mail]:
        with self.lock:
            return list(reversed(self.by_id.values()))

    def get(self, mail_id: str) -> Mail:
        mails = self.newest_first()
        wanted = mails[0].id if mail_id == "latest" and mails else mail_id
        if wanted not in self.by_id:
            raise HTTPException(404, "no such message")
        return self.by_id[wanted]

    def clear(self) -> None:
        with self.lock:
            for mail_id in self.by_id:
                (self.folder / f"{mail_id}.eml").unlink(missing_ok=True)
            self.by_id.clear()


def _envelope_lines(mail: Mail) -> bytes:
    """One line before the message: when, from whom, to whom; addresses hold no tab."""
    fields = [mail.received.isoformat(), mail.sender, *mail.recipients]
    return ("\t".join(fields) + "\n").encode()


def _read(path: Path) -> Mail:
    first, _, raw = path.read_bytes().partition(b"\n")
    received, sender, *recipients = first.decode().split("\t")
    return Mail(path.stem, datetime.fromisoformat(received), sender, tuple(recipients), raw)


class TakesEverything:
    """aiosmtpd's handler."""

    def __init__(self, mails: Mails) -> None:
        self.mails = mails

    async def handle_DATA(  # noqa: N802 - the name aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        self.mails.add(envelope.mail_from or "", list(envelope.rcpt_tos), raw)
        return "250 2.0.0 kept"


def build_app(mails: Mails) -> FastAPI:
    """The page and the JSON; addresses and field names are those of Mailpit, where it has them."""
    app = FastAPI(title="Mailbox", docs_url=None, redoc_url=None)

    @app.get("/readyz")
    def ready() -> PlainTextResponse:
        return PlainTextResponse("ok")

    @app.get("/api/v1/messages")
    def messages(limit: int = 50, start: int = 0) -> dict[str, Any]:
        found = mails.newest_first()
        shown = [mail.summary() for mail in found[start : start + limit]]
        return {"total": len(found), "messages": shown}

    @app.delete("/api/v1/messages")
    def forget() -> PlainTextResponse:
        mails.clear()
        return PlainTextResponse("ok")

    @app.get("/api/v1/message/{mail_id}")
    def message(mail_id: str) -> dict[str, Any]:
        mail = mails.get(mail_id)
        return {**mail.summary(), "Text": mail.part("plain"), "HTML": mail.part("html")}

    @app.get("/api/v1/message/{mail_id}/headers")
    def headers(mail_id: str) -> dict[str, list[str]]:
        found = mails.get(mail_id).message
        return {name: [str(value) for value in found.get_all(name, [])] for name in found}

    @app.get("/api/v1/message/{mail_id}/raw")
    def raw(mail_id: str) -> Response:
        return Response(mails.get(mail_id).raw, media_type="text/plain")

    @app.get("/view/{mail_id}.html")
    def body(mail_id: str) -> HTMLResponse:
        return _page(mails.get(mail_id).part("html"), MAIL_POLICY)

    @app.get("/view/{mail_id}")
    def view(mail_id: str) -> HTMLResponse:
        return _page(_view(mails.get(mail_id)), PAGE_POLICY)

    @app.get("/")
    def index() -> HTMLResponse:
        return _page(_index(mails.newest_first()), PAGE_POLICY)

    return app


def _page(content: str, policy: str) -> HTMLResponse:
    return HTMLResponse(content, headers={"Content-Security-Policy": policy})


def _index(found: list[Mail]) -> str:
    rows = "".join(_row(mail) for mail in found[:200])
    head = "<tr><th>Recibido<th>Para<th>Asunto</tr>"
    body = f"<table>{head}{rows}</table>" if rows else "<p>Todavía no hay correos.</p>"
    return _document("Buzón de prueba", f"<h1>Correos ({len(found)})</h1>{body}")


def _row(mail: Mail) -> str:
    subject = html.escape(str(mail.message["Subject"] or "(sin asunto)"))
    to = html.escape(", ".join(mail.recipients))
    link = f'<a href="/view/{mail.id}">{subject}</a>'
    return f"<tr><td>{mail.received:%Y-%m-%d %H:%M:%S} UTC<td>{to}<td>{link}</tr>"


def _view(mail: Mail) -> str:
    message = mail.message
    lines = "\n".join(f"{name}: {value}" for name, value in message.items())
    subject = html.escape(str(message["Subject"] or "(sin asunto)"))
    frame = f'<iframe sandbox title="Mensaje" src="/view/{mail.id}.html"></iframe>'
    shown = frame if mail.part("html") else ""
    return _document(
        subject,
        f'<p><a href="/">Todos los correos</a></p><h1>{subject}</h1>{shown}'
        f"<h2>Texto</h2><pre>{html.escape(mail.part('plain'))}</pre>"
        f"<h2>Encabezados</h2><pre>{html.escape(lines)}</pre>",
    )


def _document(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="es-MX"><meta charset="utf-8"><title>{title}</title>'
        f"{STYLE}<body>{body}</body></html>"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="mailbox")
    parser.add_argument("--smtp-port", type=int, default=8025)
    parser.add_argument("--http-port", type=int, default=8026)
    parser.add_argument("--folder", type=Path, default=RUN / "mailbox")
    options = parser.parse_args()
    mails = Mails(options.folder)
    smtp = Controller(
        TakesEverything(mails),
        hostname=HOST,
        port=options.smtp_port,
        data_size_limit=LARGEST_MAIL_BYTES,
    )
    smtp.start()
    try:
        uvicorn.run(build_app(mails), host=HOST, port=options.http_port, log_level="warning")
    finally:
        smtp.stop()


if __name__ == "__main__":
    main()
