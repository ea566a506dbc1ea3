"""Campaigns over official numbers: who gets what, what Meta refuses, loses or tells late, and a worker that dies."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
from fleet import Fleet
from graph_behaviours import ending
from official import NAME, PNG, a_quarter_of_an_hour_passes, official
from people import phones, workspace
from waiting import until

from services import media

Make = Callable[..., Fleet]


def person(behaviour: str) -> str:
    """Somebody whom the fake treats so; eight digits after the country, of which seven tell."""
    return f"+97250{ending(behaviour)}"


def test_a_campaign_by_template_reaches_everybody_and_its_file_is_uploaded_once_a_number(make_fleet: Make) -> None:
    people = phones(60)
    with official(make_fleet, numbers=2) as on:
        with on.fleet.engine.begin() as db:
            media_id = media.keep(db, workspace(db), "voucher.png", "image/png", PNG)
        campaign_id = on.launch(people, media_id=media_id, name=NAME)
        assert on.fleet.ended(campaign_id) == "completed"
        until(lambda: on.fleet.counts(campaign_id) == {"read": 60}, "all have read it")
        on.kept(people)
        uploads = on.graph.uploads
        assert sorted(upload.number_id for upload in uploads) == sorted(number.id for number in on.numbers)
        by_number = {upload.number_id: upload.id for upload in uploads}
        received = on.to(people[0])
        header, body, button = received.payload["template"]["components"]
        assert header["parameters"] == [{"type": "image", "image": {"id": by_number[received.number_id]}}]
        assert body["parameters"] == [{"type": "text", "text": "there"}]
        assert (button["sub_type"], button["parameters"][0]["text"]) == ("url", "sale")
        assert {each.number_id for each in on.graph.taken()} == set(by_number)


REFUSED = {
    "refuse:131026": "undeliverable",
    "fail:131026": "undeliverable",
    "refuse:131047": "outside_window",
    "fail:131049": "marketing_limit",
    "fail:131050": "opted_out",
    "refuse:132001": "template_missing",
}
DOUBTFUL = {
    "http:503": "provider_error",
    "silence": None,
    "lost_silence": None,
    "cut": None,
    "lose": None,
    "garble": None,
}


def test_each_person_ends_with_what_meta_made_of_them(make_fleet: Make) -> None:
    """Among people who just get it. What was taken without an answer is known by the webhook; what was lost is in doubt."""
    told = {person(behaviour): code for behaviour, code in REFUSED.items()}
    doubtful = {behaviour: person(behaviour) for behaviour in DOUBTFUL}
    people = [*phones(20), *told, *doubtful.values()]
    with official(make_fleet, send_limit_s=2) as on:
        campaign_id = on.launch(people)
        assert on.fleet.ended(campaign_id) == "partial"
        went_out = [doubtful[behaviour] for behaviour in ("lost_silence", "lose", "garble")]
        until(lambda: on.fleet.counts(campaign_id).get("read") == 20 + len(went_out), "what went out is known")
        status = {row.phone: (row.status, row.error_code) for row in on.fleet.rows("SELECT * FROM messages")}
        assert {phone: status[phone] for phone in told} == {phone: ("failed", code) for phone, code in told.items()}
        for behaviour in ("http:503", "silence", "cut"):
            assert status[doubtful[behaviour]][0] == "unknown"
            assert len(on.graph.to(doubtful[behaviour])) == 1  # it was not tried again on a guess
        opted_out = person("fail:131050")
        assert on.fleet.rows("SELECT phone, reason FROM suppressions") == [(opted_out, "opt_out")]
        failed_later = {person(behaviour) for behaviour in REFUSED if behaviour.startswith("fail")}
        on.kept(people)
        assert set(on.taken()) == {*phones(20), *went_out, *failed_later}


@pytest.mark.parametrize(("code", "wait_s"), [(130429, 1), (131056, 6)])
@pytest.mark.parametrize("how", ["refuse", "fail"])
def test_too_fast_waits_and_goes_out_once(make_fleet: Make, how: str, code: int, wait_s: float) -> None:
    people = phones(5)
    with official(make_fleet) as on:
        on.graph.behave(people[2], f"{how}:{code}", "accept")
        campaign_id = on.launch(people)
        assert on.fleet.ended(campaign_id) == "completed"
        until(lambda: on.fleet.counts(campaign_id) == {"read": 5}, "all have read it")
        first, second = on.graph.to(people[2])
        assert second.at - first.at >= wait_s
        assert on.fleet.one("SELECT attempts_used FROM messages WHERE phone = :phone", phone=people[2]) == 0


def test_a_number_whose_token_is_refused_rests_and_nobody_pays(make_fleet: Make) -> None:
    people = phones(6)
    with official(make_fleet) as on:
        on.graph.trouble(on.numbers[0].id, "refuse:190")
        campaign_id = on.launch(people)
        until(lambda: on.fleet.one("SELECT state FROM devices") == "token_refused", "the number rests")
        assert on.graph.taken() == []
        on.graph.trouble(on.numbers[0].id, None)
        assert on.fleet.ended(campaign_id) == "completed"
        assert on.fleet.one("SELECT max(attempts_used) FROM messages") == 0
        on.kept(people)


def test_a_worker_that_dies_with_calls_under_way_doubles_nothing(make_fleet: Make) -> None:
    """What Meta had taken by then its webhooks tell; the rest goes on."""
    people = phones(120)
    with official(make_fleet, latency_s=0.3, send_limit_s=2) as on:
        campaign_id = on.launch(people)
        for least in (10, 40):
            until(lambda least=least: len(on.graph.received) >= least, "calls are under way", every_s=0.005)
            assert on.fleet.one("SELECT count(*) FROM messages WHERE slot IS NOT NULL") > 0
            on.fleet.kill("worker")
            on.fleet.start("worker")
        on.fleet.ended(campaign_id)
        until(lambda: on.fleet.counts(campaign_id).get("read") == len(on.taken()), "what went out is known")
        on.kept(people)
        counts = on.fleet.counts(campaign_id)
        assert set(counts) <= {"read", "unknown"}
        assert counts["read"] + counts.get("unknown", 0) == 120


def test_without_webhooks_nothing_is_called_sent(make_fleet: Make) -> None:
    people = phones(3)
    with official(make_fleet) as on:
        on.graph.webhooks.pause()
        campaign_id = on.launch(people)
        until(lambda: on.fleet.one("SELECT count(*) FROM messages WHERE accepted_at IS NOT NULL") == 3, "Meta has them")
        assert on.fleet.counts(campaign_id) == {"processing": 3}
        a_quarter_of_an_hour_passes(on.fleet)
        assert on.fleet.ended(campaign_id) == "failed"
        assert on.fleet.rows("SELECT DISTINCT status, error_code FROM messages") == [("unknown", "not_confirmed")]
        on.graph.webhooks.resume()
        until(lambda: on.fleet.one("SELECT status FROM campaigns") == "completed", "their word came at last")
        on.kept(people)


def test_webhooks_that_come_twice_and_in_any_order_change_nothing(make_fleet: Make) -> None:
    people = [*phones(30), person("fail:131026")]
    with official(make_fleet) as on:
        on.graph.webhooks.repeats, on.graph.webhooks.disorder_s = 2, 1.0
        campaign_id = on.launch(people)
        on.fleet.ended(campaign_id)
        until(lambda: on.fleet.counts(campaign_id) == {"read": 30, "failed": 1}, "all is told")
        until(lambda: on.graph.webhooks.waiting == 0, "all repetitions are in")
        until(lambda: on.fleet.one("SELECT count(*) FROM events WHERE applied_at IS NULL") == 0, "and applied")
        assert on.fleet.counts(campaign_id) == {"read": 30, "failed": 1}
        on.kept(people)


def test_sigterm_leaves_no_call_half_done(make_fleet: Make) -> None:
    people = phones(40)
    with official(make_fleet, latency_s=0.3) as on:
        campaign_id = on.launch(people)
        until(lambda: len(on.graph.received) >= 5, "calls are under way", every_s=0.005)
        worker = on.fleet.processes.pop("worker")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(25) == 0
        assert on.fleet.one("SELECT count(*) FROM messages WHERE slot IS NOT NULL") == 0
        on.fleet.start("worker")
        assert on.fleet.ended(campaign_id) == "completed"
        on.kept(people)
