"""Numbers of Meta's Cloud API: added, and given another token, after Meta was asked about them (R28).

Meta is asked with no transaction open. A token that it refuses is not taken; and while Meta is away nothing is, because a
wrong token would be found only by the first campaign.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, text

from bridge.cloud.accounts import Account
from bridge.protocol import BridgeAwayError, BridgeRefusedError, SessionStatus
from services import audit, sync_templates
from services.add_device import NewDevice, SealedNumber, add_device
from services.change_device import look_soon, not_found
from services.cloud import Cloud, set_up
from services.refused import Refused
from services.sessions import CLOUD, Run

_ID: Final = re.compile(r"[0-9]{1,32}")
_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,4096}")


@dataclass(frozen=True, slots=True)
class NewNumber:
    """What a person gives of a number, besides ``account``. ``min_gap_s`` and ``daily_cap``: None for the provider's own."""

    name: str
    account: Account
    min_gap_s: float | None = None
    daily_cap: int | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """``trouble``: what could not be done besides, in Meta's words; the number is there all the same."""

    device_id: int
    trouble: str | None


def add(run: Run, cloud: Cloud | None, new: NewNumber, *, who: str) -> Added:
    """Ask Meta about a number, add it, let its webhooks come to us, and fetch its templates.

    Raises Refused: CLOUD_NOT_SET_UP, INVALID_ID, INVALID_TOKEN, META_REFUSED, BRIDGE_AWAY or SESSION_TAKEN.
    """
    cloud = set_up(cloud)
    account = _checked(new.account)
    status = _verified(cloud, account)

    def write(db: Connection, workspace_id: int) -> int:
        device = NewDevice(
            workspace_id=workspace_id,
            name=new.name,
            provider="cloud",
            session=account.phone_number_id,
            bridge_address=CLOUD,
            phone=status.phone,
            min_gap_s=new.min_gap_s,
            daily_cap=new.daily_cap,
            number=SealedNumber(account.business_id, cloud.seal.seal(account.token, account.phone_number_id)),
        )
        device_id = add_device(db, device, who=who)
        look_soon(db, device_id)
        return device_id

    device_id = run(write)
    fetched = sync_templates.sync_account(lambda work: run(lambda db, _: work(db)), cloud.client, [account])
    trouble = None
    if fetched.unsubscribed:
        trouble = f"Meta does not send its receipts here yet: {fetched.unsubscribed}"
    elif fetched.trouble:
        trouble = f"Its templates could not be fetched: {fetched.trouble}"
    return Added(device_id, trouble)


def replace_token(run: Run, cloud: Cloud | None, device_id: int, token: str, *, who: str) -> None:
    """Give a number another access token, which counts everywhere within seconds, and let its webhooks come to us; why they
    do not, the next synchronising of templates says.

    Raises Refused: CLOUD_NOT_SET_UP, NOT_FOUND, NOT_OFFICIAL, INVALID_TOKEN, META_REFUSED or BRIDGE_AWAY.
    """
    cloud = set_up(cloud)
    account = _checked(run(lambda db, workspace_id: _account(db, workspace_id, device_id, token)))
    _verified(cloud, account)
    sealed = cloud.seal.seal(account.token, account.phone_number_id)

    def write(db: Connection, workspace_id: int) -> None:
        changed = db.execute(
            text("UPDATE cloud_numbers SET sealed_token = :sealed WHERE device_id = :id"),
            {"sealed": sealed, "id": device_id},
        )
        if not changed.rowcount:
            raise not_found(device_id)
        audit.write(db, workspace_id, who, "replace_token", f"device:{device_id}")
        look_soon(db, device_id)

    run(write)
    sync_templates.subscribed(cloud.client, account)


def any_there(db: Connection) -> bool:
    """Whether there is any official number."""
    return bool(db.execute(text("SELECT EXISTS (SELECT 1 FROM cloud_numbers)")).scalar_one())


def _checked(account: Account) -> Account:
    for field, given in (("phone_number_id", account.phone_number_id), ("business_account_id", account.business_id)):
        if not _ID.fullmatch(given):
            raise Refused(
                "INVALID_ID", "Meta's IDs of a number and of its business account are digits only.", {"field": field}
            )
    token = account.token.strip()
    if not _TOKEN.fullmatch(token):
        raise Refused(
            "INVALID_TOKEN",
            "This is no access token: it is empty, or has spaces or other such signs.",
            {"field": "token"},
        )
    return replace(account, token=token)


def _verified(cloud: Cloud, account: Account) -> SessionStatus:
    try:
        return cloud.client.verify(account)
    except BridgeAwayError as away:
        raise Refused("BRIDGE_AWAY", "Nothing was done: {told}.", {"code": away.code}, told=away.reason) from away
    except BridgeRefusedError as refused:
        raise Refused(
            "META_REFUSED",
            "Meta does not take this number with this token: {told}",
            {"field": "token", "code": refused.code},
            told=refused.reason,
        ) from refused


def _account(db: Connection, workspace_id: int, device_id: int, token: str) -> Account:
    row = db.execute(
        text(
            "SELECT d.session, c.business_id FROM devices d LEFT JOIN cloud_numbers c ON c.device_id = d.id"
            " WHERE d.id = :id AND d.workspace_id = :workspace_id"
        ),
        {"id": device_id, "workspace_id": workspace_id},
    ).one_or_none()
    if row is None:
        raise not_found(device_id)
    if row.business_id is None:
        raise Refused("NOT_OFFICIAL", "Only a number of Meta's Cloud API has an access token.", {"field": "token"})
    return Account(row.session, row.business_id, token)
