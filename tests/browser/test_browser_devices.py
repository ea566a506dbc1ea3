"""A phone is paired, logged out, paired again and deleted, in a real browser, over real processes."""

from __future__ import annotations

from collections.abc import Callable

from fleet import Fleet
from people import add_devices
from playwright.sync_api import expect
from sqlalchemy import text
from visiting import Visit


def test_a_phone_is_scanned_logged_out_and_scanned_again(
    make_fleet: Callable[..., Fleet], visiting: Callable[..., Visit]
) -> None:
    fleet = make_fleet().start("bridge")
    fleet.bridge("POST", "/whatsapp/sales-qr/start")  # it shows its code by the first look
    with fleet.engine.begin() as db:
        (phone,) = add_devices(db, 1, can_send=False, name="Sales")
        db.execute(text("UPDATE devices SET session = 'sales-qr', next_check_at = clock_timestamp()"))
    fleet.start("api", "worker", "dispatcher", "console")
    visit = visiting(fleet).open("devices")
    visit.press("Scan QR code").sees("Point the phone at this code.")
    code = visit.page.get_by_alt_text("QR code to scan")
    expect(code).to_be_visible()
    visit.sees("A new code comes in")
    first = code.get_attribute("src") or ""
    stays = visit.stays_open()
    expect(code).not_to_have_attribute("src", first)  # it has expired, and here is the next
    assert stays()
    visit.page.reload()  # the dialog stands in the address
    visit.quiet().sees("Point the phone at this code.")
    stays = visit.stays_open()
    fleet.bridge("POST", "/simulator/sessions/sales-qr/scan")
    visit.sees("Connected as")
    assert stays()
    visit.press("Done")
    visit.page.wait_for_url(f"**/devices?device={phone}")
    expect(visit.page.get_by_role("dialog")).to_have_count(0)

    visit.press("Log out…").sees("It sends nothing until its QR code is scanned again.")
    visit.button("Log out").click()
    visit.sees("This phone was logged out of WhatsApp.")
    visit.open("devices", device=phone, scan=1).sees("There is no code to scan any more.")
    visit.press("Show a new code").sees("Point the phone at this code.")
    done = fleet.rows("SELECT who, action FROM audit ORDER BY id DESC LIMIT 2")
    assert done == [("console", "start_session"), ("console", "logout_session")]


def test_a_phone_is_deleted_by_its_name_and_logged_out(
    make_fleet: Callable[..., Fleet], visiting: Callable[..., Visit]
) -> None:
    fleet = make_fleet().start("bridge")
    fleet.sessions_can_send("device1", "device2")
    with fleet.engine.begin() as db:
        gone, stays = add_devices(db, 2)
    fleet.start("console")

    def delete(phone: int, name: str) -> Visit:
        visit = visiting(fleet).open("devices", device=phone).sees("It is logged out of WhatsApp.")
        visit.press("Delete this phone…").sees("This cannot be undone")
        expect(visit.button("Delete")).to_be_disabled()
        typed = visit.page.get_by_role("dialog").get_by_role("textbox")
        typed.fill(name)
        typed.press("Enter")
        return visit.press("Delete")

    delete(gone, "device1").arrives("devices").sees("Deleted.")
    assert fleet.bridge("GET", "/whatsapp/device1/status")["state"] == "logged_out"
    assert fleet.bridge("GET", "/whatsapp/device2/status")["state"] == "open"
    fleet.kill("bridge")
    delete(stays, "device2").arrives("devices").sees("WhatsApp could not be told that device2 is gone")
    assert fleet.rows("SELECT id FROM devices") == []
