"""Which device writes to which recipient: in proportion to speed, evenly from the first recipient to the last."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Share:
    """A device and its weight, in messages per second; only the proportions between the weights count."""

    device_id: int
    weight: float


def deal(count: int, devices: Sequence[Share]) -> list[int]:
    """The device id of each of ``count`` recipients, in their order.

    After any number of recipients each device is less than one above or below its proportion, so the devices end
    together whether the campaign runs to its end or not. The same arguments give the same answer.

    A device with share r of the whole may get its k-th recipient (from 0) only in the places k/r to (k+1)/r; of those
    that may have the next one, the device whose places run out first gets it. With whole numbers throughout this keeps
    every device within its places (R. Tijdeman, "The chairman assignment problem", 1980). n log devices.

    Raises ValueError for a weight that is not above 0, and for recipients without a device.
    """
    if not count:
        return []
    if not devices:
        raise ValueError(f"{count} recipients and no device")
    weights = _whole_weights(devices)
    total = sum(weights)
    dealt = [0] * len(devices)
    open_now = [(-(-total // weight), index) for index, weight in enumerate(weights)]
    heapq.heapify(open_now)
    open_later: list[tuple[int, int, int]] = []  # first place, last place, index
    answer: list[int] = []
    for place in range(count):
        while open_later and open_later[0][0] <= place:
            _, until, index = heapq.heappop(open_later)
            heapq.heappush(open_now, (until, index))
        _, index = heapq.heappop(open_now)
        answer.append(devices[index].device_id)
        dealt[index] += 1
        first_place = dealt[index] * total // weights[index]
        until = -(-(dealt[index] + 1) * total // weights[index])
        heapq.heappush(open_later, (first_place, until, index))
    return answer


def deal_apart(groups: Sequence[tuple[int, Sequence[Share]]]) -> list[list[int]]:
    """For groups of recipients, each with a number of them and the devices that they may be dealt over: the device ids of
    each group.

    Whoever has the fewest choices is dealt first, and the next recipient gets the device that will be done with its part
    soonest, so those who may go anywhere fill up what the others left. Raises ValueError as ``deal`` does.
    """
    load: Counter[int] = Counter()
    dealt: list[list[int]] = [[] for _ in groups]
    for place in sorted(range(len(groups)), key=lambda place: len(groups[place][1])):
        count, devices = groups[place]
        if count and not devices:
            raise ValueError(f"{count} recipients and no device")
        _check_weights(devices)
        soonest = [((load[each.device_id] + 1) / each.weight, index) for index, each in enumerate(devices)]
        heapq.heapify(soonest)
        for _ in range(count):
            index = soonest[0][1]
            share = devices[index]
            load[share.device_id] += 1
            dealt[place].append(share.device_id)
            heapq.heapreplace(soonest, ((load[share.device_id] + 1) / share.weight, index))
    return dealt


def _whole_weights(devices: Sequence[Share]) -> list[int]:
    """The same proportions in whole numbers, because rounding errors would let a device miss its places."""
    _check_weights(devices)
    exact = [Fraction(device.weight) for device in devices]
    scale = math.lcm(*(fraction.denominator for fraction in exact))
    return [int(fraction * scale) for fraction in exact]


def _check_weights(devices: Sequence[Share]) -> None:
    if not all(device.weight > 0 and math.isfinite(device.weight) for device in devices):
        raise ValueError("the weight of a device must be above 0")
