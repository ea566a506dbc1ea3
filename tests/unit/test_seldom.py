"""Lines of the log that strangers can cause."""

from __future__ import annotations

import asyncio

import pytest

from api.seldom import Seldom


def test_what_strangers_do_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    async def refuse() -> None:
        seldom = Seldom("WEBHOOKS", lines=3, minute_s=0.05)
        for minute in range(2):
            for _ in range(10):
                seldom.warn("refused")
            async with asyncio.timeout(5):
                while len(caplog.messages) < 4 * (minute + 1):
                    await asyncio.sleep(0)
        seldom.warn("refused")

    asyncio.run(refuse())
    a_minute = [*["[WEBHOOKS] refused"] * 3, "[WEBHOOKS] and 7 more such lines within 0.05 s"]
    assert caplog.messages == [*a_minute, *a_minute, "[WEBHOOKS] refused"]
