"""POST /api/broadcasts/csv and the rejected rows that come back."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from serving import Api, answered, people, refused


def upload(api: Api, data: bytes, **form: Any) -> requests.Response:
    fields = {"message": "Hello {name|there}", **form}
    return api.ask("POST", "/api/broadcasts/csv", data=fields, files={"file": ("people.csv", data, "text/csv")})


def test_a_file_becomes_a_broadcast_and_its_bad_rows_come_back(api: Api) -> None:
    device = api.device()
    dana, avi = people(2)
    data = f"name,mobile,city\nDana,{dana},Haifa\nNoone,12,Yafo\n,{avi},\nTwice,{dana},\n=1+1,9.72E+11,Eilat\n".encode()
    answer = answered(
        upload(api, data, title="From a file", device_ids=str(device["id"]), min_delay_s="1", max_delay_s="2.5"), 202
    )
    assert (answer["queued_count"], answer["invalid_recipients_count"]) == (2, 3)
    assert [(row["row"], row["reason"]) for row in answer["invalid"]] == [
        (3, "too_short"),
        (5, "duplicate"),
        (6, "scientific_notation"),
    ]
    assert api.rows("SELECT title, min_delay_s, max_delay_s FROM campaigns") == [("From a file", 1.0, 2.5)]
    assert api.rows("SELECT name, variables FROM messages WHERE phone = :phone", phone=dana) == [
        ("Dana", {"name": "Dana", "city": "Haifa"})
    ]
    response = api.get(f"/api/broadcasts/{answer['broadcast_id']}/rejected.csv")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in response.headers["Content-Disposition"]
    lines = response.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "name,mobile,city,reason,row"
    assert lines[1].startswith("Noone,12,Yafo,too_short")
    assert "(row 2)" in lines[2]
    assert lines[3].startswith("'=1+1,9.72E+11,Eilat,scientific_notation")
    corrected = response.content.replace(b"Noone,12", b"Noone," + people(1)[0].encode())
    again = answered(upload(api, corrected), 202)
    assert (again["queued_count"], again["items"][0]["phone"][:6]) == (1, "+97250")
    assert [row["reason"] for row in again["invalid"]] == ["duplicate", "scientific_notation"]  # Dana has it already


def test_people_of_a_file_can_be_saved_as_leads(api: Api) -> None:
    api.device()
    phone = people(1)[0]
    answer = answered(upload(api, f"phone,name\n{phone},Dana\n".encode(), save_leads="true"), 202)
    lead = api.one("SELECT id FROM leads WHERE phone = :phone AND name = 'Dana'", phone=phone)
    assert answer["items"] == [{"phone": phone, "lead_id": lead, "status": "queued"}]


def test_the_value_that_a_row_lacks_rejects_it_with_its_cells(api: Api) -> None:
    api.device()
    dana, avi = people(2)
    data = f"Kunde;Nummer;Stadt\nDana;{dana};Haifa\nAvi;{avi};\n".encode("windows-1252")
    answer = answered(upload(api, data, message="From {Stadt}", phone_column="nummer", encoding="windows-1252"), 202)
    assert answer["invalid"] == [{"phone": avi, "row": 3, "reason": "missing_variable"}]
    response = api.get(f"/api/broadcasts/{answer['broadcast_id']}/rejected.csv")
    assert f"Avi,{avi},,missing_variable" in response.content.decode("utf-8-sig").replace("'+", "+")


@pytest.mark.parametrize(
    ("data", "form", "code", "detail"),
    [
        (b"", {}, "EMPTY", None),
        (b"PK\x03\x04\x14\0\x06\0", {"encoding": "windows-1252"}, "NOT_CSV", None),
        (b"phone,name\n", {}, "NO_ROWS", "headers"),
        (b"+972501234567,Dana\n", {}, "HEADER_MISSING", None),
        (b"phone,phone\n1,2\n", {}, "HEADER_DUPLICATE", "headers"),
        (b"who,what\nDana,12\n", {}, "COLUMN_UNKNOWN", "headers"),
        (b"phone,name\n050,Dana\n", {"phone_column": "mobile"}, "COLUMN_UNKNOWN", "headers"),
        ("phone,name\n050,דנה\n".encode("windows-1255"), {}, "ENCODING_UNKNOWN", "choices"),
        (b"phone\n050\n", {"encoding": "latin-42"}, "ENCODING_UNKNOWN", "choices"),
        ("phone\n050\n".encode("utf-16-le"), {}, "ENCODING_UNKNOWN", "choices"),
        (b"phone\n050\n", {"delimiter": "|"}, "DELIMITER_UNKNOWN", None),
        (b'phone,name\n050,"Dana\n051,Avi\n052,Gad\n', {}, "UNREADABLE", "row"),
    ],
)
def test_a_fault_of_the_file_refuses_it(
    refusing_api: Api, data: bytes, form: dict[str, str], code: str, detail: str | None
) -> None:
    details = refused(upload(refusing_api, data, **form), 422, code)
    assert detail is None or detail in details
    assert refusing_api.one("SELECT count(*) FROM campaigns") == 0


def test_bad_rows_of_every_kind_do_not_stop_the_others(api: Api) -> None:
    api.device()
    good = people(1)[0]
    data = f"phone,name\n{people(1)[0]},\0\n{people(1)[0]},{'x' * 1_000_000}\n1,2,3\n{good},Dana\n".encode()
    answer = answered(upload(api, data), 202)
    assert [row["reason"] for row in answer["invalid"]] == ["bad_character", "field_too_long", "too_many_cells"]
    assert [item["phone"] for item in answer["items"]] == [good]
    download = api.get(f"/api/broadcasts/{answer['broadcast_id']}/rejected.csv")
    assert download.status_code == 200
    assert b"\0" not in download.content


def test_all_rows_bad(api: Api) -> None:
    api.device()
    details = refused(upload(api, b"phone\n1\n2\n"), 400, "ALL_INVALID")
    assert [row["row"] for row in details["invalid"]] == [2, 3]


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"device_ids": "1,x"}, "device_ids.1"),
        ({"scheduled_at": "soon"}, "scheduled_at"),
        ({"allow_repeat": "perhaps"}, "allow_repeat"),
        ({"message": ""}, "message"),
        ({"message": " \n"}, "message"),
        ({"schedule_at": "2026-12-01T09:00:00+02:00"}, "schedule_at"),
        ({"title": "a\0b"}, "title"),
        ({"phone_column": "a\0b"}, "phone_column"),
    ],
)
def test_a_wrong_field_of_the_form_is_named(refusing_api: Api, form: dict[str, str], field: str) -> None:
    details = refused(upload(refusing_api, b"phone\n0501234567\n", **form), 422, "INVALID")
    assert details["field"] == field


def test_a_form_without_a_file_or_that_is_none(refusing_api: Api) -> None:
    no_file = refusing_api.ask("POST", "/api/broadcasts/csv", data={"message": "Hello", "file": "people.csv"})
    assert no_file.json()["message"] == "file: must be a file"
    files = {"message": (None, "Hello")}
    assert refused(refusing_api.ask("POST", "/api/broadcasts/csv", files=files), 422, "INVALID")["field"] == "file"
    broken = refusing_api.ask(
        "POST",
        "/api/broadcasts/csv",
        data=b"--x\r\nnonsense",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    refused(broken, 422, "INVALID")


def test_the_same_file_under_one_key_is_launched_once(api: Api) -> None:
    api.device()
    data = f"phone\n{people(1)[0]}\n".encode()
    first, second = (
        api.ask(
            "POST",
            "/api/broadcasts/csv",
            data={"message": "Hello", "allow_repeat": "true"},
            files={"file": ("people.csv", data)},
            headers={"Idempotency-Key": "file-1"},
        )
        for _ in range(2)
    )
    assert answered(first, 202) == answered(second, 202)
    other = api.ask(
        "POST",
        "/api/broadcasts/csv",
        data={"message": "Hello", "allow_repeat": "true"},
        files={"file": ("people.csv", data + b"\n")},
        headers={"Idempotency-Key": "file-1"},
    )
    refused(other, 422, "IDEMPOTENCY_KEY_REUSED")
