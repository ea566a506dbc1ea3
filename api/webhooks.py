"""Meta's webhooks: the signature checked over the raw bytes, all that a body says stored in one commit, and only then
answered (R29).

Whoever can reach this address may post to it, so an unsigned body is looked at no further than its signature. A signed one
is Meta's, and is taken whatever it holds: refused, it would come again for seven days and then be lost. What we cannot
read is kept as it is (bridge/cloud/webhooks.py).
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections import Counter
from datetime import UTC, datetime

from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from api.errors import error
from api.event_writer import EventWriter
from api.seldom import Seldom
from api.signed_body import NotTakenError, SignedBodies
from bridge.cloud.webhooks import read
from services.receipts import Incoming

log = logging.getLogger("fanfare.api")

# Meta waits some seconds for an answer. A database that neither stores nor refuses must not gather its posts here.
ANSWER_S = 5.0
REFUSALS_A_MINUTE = 10  # lines of the log; strangers may post as often as they like


class CloudWebhooks:
    """``/webhooks/cloud``: GET verifies the address, POST brings events."""

    def __init__(self, writer: EventWriter, *, app_secret: SecretStr | None, verify_token: SecretStr | None) -> None:
        self._writer = writer
        self._verify_token = None if verify_token is None else verify_token.get_secret_value().encode()
        self._bodies = None
        if app_secret is not None:
            self._bodies = SignedBodies("X-Hub-Signature-256", app_secret.get_secret_value(), "the app's secret")
        self._refusals = Seldom("WEBHOOKS", lines=REFUSALS_A_MINUTE)
        self._set_up = Seldom("WEBHOOKS", lines=1)

    async def verify(self, request: Request) -> Response:
        """Meta asks whether this address is ours, by the word that we have told it."""
        if self._verify_token is None:
            return self._not_configured("CLOUD_VERIFY_TOKEN")
        asked = request.query_params
        knows = hmac.compare_digest(asked.get("hub.verify_token", "").encode(), self._verify_token)
        if asked.get("hub.mode") != "subscribe" or "hub.challenge" not in asked or not knows:
            self._refusals.warn(f"not verified: {'the word is right' if knows else 'the word is wrong'}")
            return error(403, "NOT_VERIFIED", "This is not how Meta verifies an address with CLOUD_VERIFY_TOKEN.")
        log.info("[WEBHOOKS] Meta has verified this address")
        return PlainTextResponse(asked["hub.challenge"], headers={"X-Content-Type-Options": "nosniff"})

    async def take(self, request: Request) -> Response:
        if self._bodies is None:
            return self._not_configured("CLOUD_APP_SECRET")
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            words = "Content-Encoding is not taken here: send the bytes that are signed"
            return self._refused(NotTakenError(415, "ENCODED", words))
        try:
            body = await self._bodies.read(request)
        except NotTakenError as refusal:
            return self._refused(refusal)
        events = [Incoming(p.event_id, p.session, p.type, p.at, p.data) for p in read(body, datetime.now(UTC))]
        try:
            await asyncio.wait_for(self._writer.store(*events), ANSWER_S)
        except (SQLAlchemyError, TimeoutError) as fault:
            log.warning("[WEBHOOKS] not known to be stored, Meta will post it again: %s", type(fault).__name__)
            return error(503, "DATABASE_AWAY", "The database does not answer: post it again.")
        unread = Counter(event.type for event in events)["unread"]
        if unread:
            log.warning("[WEBHOOKS] %d of %d events could not be read; they are kept", unread, len(events))
        return Response(b'{"stored":true}', media_type="application/json")

    def _not_configured(self, setting: str) -> Response:
        self._set_up.warn(f"not taken: {setting} is not set here")
        return error(503, "NOT_CONFIGURED", f"{setting} is not set here.", {"setting": setting})

    def _refused(self, refusal: NotTakenError) -> Response:
        self._refusals.warn(f"refused: {refusal}")
        return error(refusal.status, refusal.code, f"Not taken: {refusal}.")
