"""Files that go out with messages: kept here, and uploaded to WhatsApp when the first message with them is sent."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, File, UploadFile
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api.context import Here, Id
from api.errors import not_found, refusals
from domain.media import Kind
from services import media

router = APIRouter(tags=["Media"])


class Kept(BaseModel):
    media_id: int
    kind: Kind
    mimetype: str = Field(description="What its first bytes say that it is")
    filename: str
    size: int = Field(description="In bytes")


@router.post(
    "/api/media",
    status_code=201,
    response_model=Kept,
    responses=refusals(
        {
            413: "TOO_LARGE: `details.limit_bytes` says how much is taken of its kind",
            422: "UNSUPPORTED_MEDIA, EMPTY_FILE, or INVALID: a field is wrong",
        }
    ),
)
def keep_media(
    here: Here,
    file: Annotated[UploadFile, File(description="An image (5 MB at most), a video, audio or a document (16 MB)")],
) -> Any:
    """Keep a file. The same file under the same name has one id, however often it comes."""
    content = file.file.read()

    def keep(db: Connection, workspace_id: int) -> media.Described | None:
        kept = media.keep(db, workspace_id, file.filename or "", file.content_type or "", content)
        return media.described(db, workspace_id, kept)

    return _described(here.run_here(keep))


@router.get("/api/media/{media_id}", response_model=Kept, responses=refusals({404: "NOT_FOUND"}))
def read_media(media_id: Id, here: Here) -> Any:
    """What a file is."""
    found = here.run_here(lambda db, workspace_id: media.described(db, workspace_id, media_id))
    if found is None:
        raise not_found(f"file {media_id}")
    return _described(found)


def _described(found: media.Described | None) -> dict[str, Any]:
    if found is None:
        raise RuntimeError("the file that was just kept is not there")
    fields = asdict(found)
    return {"media_id": fields.pop("id"), **fields}
