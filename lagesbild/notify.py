"""Telling a person that a night failed, by webhook or e-mail. Never a resident's text.

Addresses that are secrets come from the environment: the configuration names the variables.
"""

from __future__ import annotations

import os
import smtplib
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import httpx

from lagesbild.errors import LagesbildError, UsageError
from lagesbild.settings import Notify

TIMEOUT_S = 10.0


def notify(where: Notify, message: str) -> None:
    """Send `message` everywhere configured. Raises LagesbildError if a channel refuses it."""
    if where.webhook_env:
        _post(_secret(where.webhook_env), message)
    if where.email_to:
        if not where.smtp_env:
            raise UsageError("notify.email_to kräver notify.smtp_env, variabeln med SMTP-adressen.")
        _mail(_secret(where.smtp_env), where.email_to, message)


def _secret(variable: str) -> str:
    value = os.environ.get(variable)
    if not value:
        raise UsageError(f"Miljövariabeln {variable} som [notify] pekar ut är inte satt.")
    return value


def _post(url: str, message: str) -> None:
    """A JSON body with `text`, which Slack, Teams, Mattermost and most receivers take."""
    try:
        httpx.post(url, json={"text": message}, timeout=TIMEOUT_S).raise_for_status()
    except httpx.HTTPStatusError as error:
        raise LagesbildError(
            f"Webhooken svarade {error.response.status_code}; kontrollera dess adress."
        ) from None
    except httpx.HTTPError:
        raise LagesbildError("Webhooken kunde inte nås; kontrollera dess adress.") from None


def _mail(url: str, to: str, message: str) -> None:
    """Through smtp://user:password@host:port, or smtps:// for TLS from the start."""
    server = urlsplit(url)
    mail = EmailMessage()
    mail["From"] = mail["To"] = to
    mail["Subject"] = "lagesbild: en natt misslyckades"
    mail.set_content(message)
    kind = smtplib.SMTP_SSL if server.scheme == "smtps" else smtplib.SMTP
    try:
        with kind(server.hostname or "", server.port or 0, timeout=TIMEOUT_S) as smtp:
            if server.username and server.password:
                if kind is smtplib.SMTP:
                    smtp.starttls()
                smtp.login(unquote(server.username), unquote(server.password))
            smtp.send_message(mail)
    except (OSError, smtplib.SMTPException):
        raise LagesbildError("E-postservern tog inte emot larmet; kontrollera smtp_env.") from None
