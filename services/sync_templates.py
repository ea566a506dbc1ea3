"""Ask Meta which templates our business accounts have, and write it down (R28). Meta is asked with no transaction open.

Each time the webhooks of the account are let come to us too: what failed when its number was added is so made good, and
what a person at Meta has undone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection

from bridge.cloud.accounts import Account
from bridge.protocol import BridgeAwayError, BridgeRefusedError
from services import templates
from services.cloud import Client, Cloud, set_up
from services.refused import Refused

Run = Callable[[Callable[[Connection], Any]], Any]  # runs a service in one transaction


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of one business account: how many templates it has, or in Meta's words why they could not be fetched; then
    those that were known stay. ``unsubscribed``: why its webhooks do not come here, also in Meta's words."""

    business_account_id: str
    templates: int
    trouble: str | None = None
    unsubscribed: str | None = None


_UNOPENED: Final = "its access token was sealed with another CLOUD_TOKEN_KEY"
_one_at_a_time: Final = threading.Lock()  # each may take minutes of a thread, of which a process has a few


def sync_all(run: Run, cloud: Cloud | None) -> list[Fetched]:
    """Bring the templates of all business accounts in line with Meta. Raises Refused: CLOUD_NOT_SET_UP, and SYNCHRONISING
    while this process does so already."""
    cloud = set_up(cloud)
    if not _one_at_a_time.acquire(blocking=False):
        raise Refused("SYNCHRONISING", "Meta is being asked for the templates already: wait until that is done.")
    try:
        return _synced(run, cloud)
    finally:
        _one_at_a_time.release()


def _synced(run: Run, cloud: Cloud) -> list[Fetched]:
    accounts = sorted(cloud.accounts.every(), key=lambda account: account.business_id)
    fetched = [
        sync_account(run, cloud.client, list(numbers))
        for _, numbers in groupby(accounts, key=lambda account: account.business_id)
    ]
    run(templates.forget_strangers)
    return fetched


def sync_account(run: Run, client: Client, numbers: Sequence[Account]) -> Fetched:
    """Bring those of one business account in line, asked with the first of its numbers' tokens that Meta takes."""
    business_id = numbers[0].business_id
    first_told: Fetched | None = None
    for token in dict.fromkeys(number.token for number in numbers if number.opened):
        account = next(number for number in numbers if number.token == token)
        unsubscribed = subscribed(client, account)
        try:
            found = client.templates(account)
        except BridgeAwayError as away:
            return Fetched(business_id, 0, away.reason, unsubscribed)
        except BridgeRefusedError as refused:
            first_told = first_told or Fetched(business_id, 0, refused.reason, unsubscribed)
            continue
        count = run(partial(templates.sync, business_id=business_id, found=found))
        return Fetched(business_id, count, unsubscribed=unsubscribed)
    return first_told or Fetched(business_id, 0, _UNOPENED)


def subscribed(client: Client, account: Account) -> str | None:
    """Let the webhooks of a business account come to us, which can be repeated; in Meta's words why they do not."""
    try:
        client.subscribe(account)
    except (BridgeAwayError, BridgeRefusedError) as error:
        return error.reason
    return None
