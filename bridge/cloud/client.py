"""The ``Bridge`` of Meta's Cloud API: what our numbers send, how they are, and their files, templates and webhooks."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Final, NoReturn

from bridge.cloud import answers, payloads, roster
from bridge.cloud.absent import UNOPENED, unopened
from bridge.cloud.accounts import Account, Accounts
from bridge.cloud.graph import Graph, usable
from bridge.cloud.looking import Looking
from bridge.protocol import (
    Accepted,
    BridgeAwayError,
    BridgeRefusedError,
    Closed,
    Content,
    File,
    KeyState,
    Media,
    NotSent,
    Outbound,
    Roster,
    SendResult,
    SessionStatus,
    Template,
    Text,
)

ASK_LIMIT_S: Final = 10.0  # for one page of an answer
_PAGE: Final = 200  # templates

_NO_ACCOUNT: Final = NotSent("no_session", "we have no access token for this number", "refused", retryable=True)
_NO_TOKEN: Final = NotSent("token_refused", "its access token cannot be read", "refused", retryable=True)


class CloudBridge:
    """All numbers of ``accounts``, at the Graph API of ``url`` in one ``version``. Safe for threads."""

    def __init__(self, accounts: Accounts, url: str, version: str, *, send_limit_s: int, http_timeout_s: float) -> None:
        self._accounts = accounts
        self._graph = Graph(url, version, send_limit_s=send_limit_s, http_timeout_s=http_timeout_s)
        self._upload_limit_s = send_limit_s / 2  # of silence: its message is to go out within the same lease
        self._looking = Looking(self._graph)

    def send(self, outbound: Outbound) -> SendResult:
        account = self._account(outbound.session)
        if isinstance(account, NotSent):
            return account
        content = self._uploaded(account, outbound.content)
        if isinstance(content, NotSent):
            return content
        outbound = replace(outbound, content=content)
        told = self._graph.send(f"{account.phone_number_id}/messages", account.token, payloads.message(outbound))
        result = answers.conclude(told, payloads.recipient(outbound), account.token)
        if not isinstance(result, Accepted):
            self._graph.forget()  # an error names no message: its repetition could be taken for the next one's answer
        return result

    def upload(self, session: str, file: File) -> str | NotSent:
        """Bring a file to Meta; its id there, which is this number's alone and lasts for thirty days. When that fails, why
        nothing can be sent with it."""
        account = self._account(session)
        return account if isinstance(account, NotSent) else self._upload(account, file)

    def close(self, session: str, key: str) -> Closed:
        """Meta has no ledger that could be asked or told: this proves nothing."""
        return Closed(KeyState.DISPATCHING, None, None, 0.0)

    def sessions(self, timeout_s: float) -> Roster:
        return self._looking.at_all(self._accounts.every(), timeout_s)

    def status(self, session: str) -> SessionStatus:
        account = self._accounts.one(session)
        if account is None:
            raise BridgeRefusedError(404, _NO_ACCOUNT.code, _NO_ACCOUNT.reason)
        if not account.opened:
            unopened()
        return self.verify(account)

    def verify(self, account: Account) -> SessionStatus:
        """How a number is, seen with this token. Raises BridgeAwayError, and BridgeRefusedError when its business account
        cannot be seen with it, or does not have the number."""
        found = self._looking.numbers_of(account.business_id, account.token, time.monotonic() + ASK_LIMIT_S)
        status = found.get(account.phone_number_id)
        if status is None:
            raise BridgeRefusedError(404, "not_registered", roster.NOT_THERE)
        return status

    def subscribe(self, account: Account) -> None:
        """Let the webhooks of its business account come to our app. Raises BridgeRefusedError and BridgeAwayError."""
        told = self._graph.ask("POST", f"{account.business_id}/subscribed_apps", account.token, ASK_LIMIT_S)
        answers.read(told, account.token)

    def templates(self, account: Account) -> list[dict[str, Any]]:
        """All templates of its business account, in Meta's words. Raises BridgeRefusedError and BridgeAwayError."""
        path = f"{account.business_id}/message_templates"
        return self._looking.pages(path, account.token, {"limit": _PAGE}, lambda: ASK_LIMIT_S)

    def qr(self, session: str) -> dict[str, Any]:
        raise BridgeRefusedError(404, "no_qr", "a number of the Cloud API is not paired with a QR code")

    def pairing_code(self, session: str, phone: str) -> str:
        _not_for_cloud()

    def command(self, session: str, verb: str) -> None:
        """``start`` and ``restart``: see whether it is there, since it always runs. It cannot be stopped from here."""
        if verb not in ("start", "restart"):
            _not_for_cloud()
        self.status(session)

    def _account(self, session: str) -> Account | NotSent:
        try:
            account = self._accounts.one(session)
        except BridgeAwayError as away:
            return NotSent(away.code, away.reason, "refused", retryable=True)
        if account is None:
            return _NO_ACCOUNT
        if not account.opened:
            return UNOPENED
        return account if usable(account.token) else _NO_TOKEN

    def _uploaded(self, account: Account, content: Content) -> Content | NotSent:
        """The same with its file at Meta."""
        match content:
            case Text():
                return content
            case Media():
                return self._there(account, content)
            case Template(header=header):
                there = None if header is None else self._there(account, header)
                return there if isinstance(there, NotSent) else replace(content, header=there)

    def _there(self, account: Account, media: Media) -> Media | NotSent:
        if media.file.uploaded is not None:
            return media
        uploaded = self._upload(account, media.file)
        return (
            uploaded if isinstance(uploaded, NotSent) else replace(media, file=replace(media.file, uploaded=uploaded))
        )

    def _upload(self, account: Account, file: File) -> str | NotSent:
        told = self._graph.ask(
            "POST",
            f"{account.phone_number_id}/media",
            account.token,
            self._upload_limit_s,
            data={"messaging_product": "whatsapp", "type": file.mimetype},
            files={"file": (file.filename, file.content, file.mimetype)},
        )
        return answers.uploaded(told, account.token)


def _not_for_cloud() -> NoReturn:
    raise BridgeRefusedError(409, "not_for_cloud", "a number of the Cloud API is not linked to a phone")
