"""A lease outlasts its mutex, a mutex its call, a call the bridge's own limit, whatever that is set to."""

from __future__ import annotations

from itertools import pairwise

import pytest

from settings import Settings


@pytest.mark.parametrize("send_limit_s", [1, 5, 30, 300])
def test_each_outlasts_the_next_by_a_second_at_least(send_limit_s: int) -> None:
    settings = Settings(send_limit_s=send_limit_s)
    times = [settings.send_limit_s, settings.http_timeout_s, settings.mutex_s, settings.lease_s]
    assert min(later - earlier for earlier, later in pairwise(times)) >= 1
