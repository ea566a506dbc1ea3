"""Ask Meta which templates our business accounts have, and write it down (R28). Meta is asked with no transaction open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

from sqlalchemy import Connection

from bridge.cloud.accounts import Account
from bridge.protocol import BridgeAwayError, BridgeRefusedError
from services import templates
from services.cloud import Client, Cloud, set_up

Run = Callable[[Callable[[Connection], Any]], Any]  # runs a service in one transaction


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of one business account: how many templates it has, or in Meta's words why they could not be fetched; then
    those that were known stay."""

    business_account_id: str
    templates: int
    trouble: str | None = None


def sync_all(run: Run, cloud: Cloud | None) -> list[Fetched]:
    """Bring the templates of all business accounts in line with Meta. Raises Refused, CLOUD_NOT_SET_UP."""
    cloud = set_up(cloud)
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
    trouble = ""
    for token in dict.fromkeys(number.token for number in numbers):
        account = next(number for number in numbers if number.token == token)
        try:
            found = client.templates(account)
        except BridgeAwayError as away:
            return Fetched(business_id, 0, away.reason)
        except BridgeRefusedError as refused:
            trouble = trouble or refused.reason
            continue
        return Fetched(business_id, run(partial(templates.sync, business_id=business_id, found=found)))
    return Fetched(business_id, 0, trouble)
