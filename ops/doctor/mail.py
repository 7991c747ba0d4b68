"""The mail server: reached, encrypted, let in. No mail is sent."""

from contextlib import suppress

import aiosmtplib

from ops.doctor.findings import Finding, mend, unknown, well
from ops.doctor.settings import MailSettings

ANSWERS_WITHIN_SECONDS = 10.0


async def look(settings: MailSettings) -> Finding:
    """Return how a session with the mail server begins."""
    if not settings.smtp_host:
        return mend("mail", "no server is named", "CARTAS_SMTP_HOST")
    place = f"{settings.smtp_host}:{settings.smtp_port}"
    client = aiosmtplib.SMTP(
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        use_tls=settings.smtp_security == "tls",
        start_tls=False,
        timeout=ANSWERS_WITHIN_SECONDS,
    )
    try:
        await client.connect()
        return await _session(client, settings, place)
    except aiosmtplib.SMTPAuthenticationError as error:
        do = "CARTAS_SMTP_USERNAME and CARTAS_SMTP_PASSWORD must be what the server knows"
        return mend("mail", f"{place} refuses us: {error.code}", do)
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        do = "is CARTAS_SMTP_HOST:CARTAS_SMTP_PORT right, and let through by the firewall?"
        return mend("mail", f"{place}: {type(error).__name__}", do)
    finally:
        with suppress(aiosmtplib.SMTPException, OSError):
            client.close()


async def _session(client: aiosmtplib.SMTP, settings: MailSettings, place: str) -> Finding:
    await client.ehlo()
    is_encrypted = settings.smtp_security == "tls"
    if not is_encrypted and settings.smtp_security != "none":
        is_offered = client.supports_extension("starttls")
        if not is_offered and (settings.smtp_security == "starttls" or settings.smtp_password):
            do = "the server must offer STARTTLS, or CARTAS_SMTP_SECURITY=tls with its port (465)"
            return mend("mail", f"{place} offers no STARTTLS", do)
        if is_offered:
            await client.starttls()
            is_encrypted = True
    if settings.smtp_username is not None and settings.smtp_password is not None:
        await client.login(settings.smtp_username, settings.smtp_password.get_secret_value())
        return well("mail", f"{place}, encrypted, lets us in")
    if is_encrypted:
        return well("mail", f"{place}, encrypted, without a password")
    if settings.smtp_host in {"127.0.0.1", "localhost", "mailbox"}:
        return unknown("mail", f"{place} is a mailbox for trying out", "name your mail server")
    return mend("mail", f"{place} takes our mail in the clear", "a server that offers STARTTLS")
