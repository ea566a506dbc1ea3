"""Never send to a number again: from now on, and what waits for it ends in the same transaction."""

from __future__ import annotations

from sqlalchemy import Connection, text


def suppress(db: Connection, workspace_id: int, phone: str, *, reason: str, proof: str) -> int:
    """Put a number (E.164) on the never-send list; returns how many waiting messages that ended.

    ``reason``: opt_out, invalid, complaint or by_hand; ``proof``: in words, when and why. The first proof is kept.
    """
    db.execute(
        text(
            "INSERT INTO suppressions (workspace_id, phone, reason, proof) VALUES (:workspace_id, :phone, :reason, :proof)"
            " ON CONFLICT DO NOTHING"
        ),
        {"workspace_id": workspace_id, "phone": phone, "reason": reason, "proof": proof},
    )
    return db.execute(
        text(
            "UPDATE messages SET status = 'suppressed', error_code = 'suppressed', error_reason = NULL"
            " WHERE workspace_id = :workspace_id AND phone = :phone AND status = 'queued'"
        ),
        {"workspace_id": workspace_id, "phone": phone},
    ).rowcount


def opted_out(db: Connection, message_id: int, told: str) -> None:
    """WhatsApp has told, about a message, that its person wants no more of these."""
    person = db.execute(text("SELECT workspace_id, phone FROM messages WHERE id = :id"), {"id": message_id}).one()
    proof = f"told by WhatsApp about message {message_id}: {told}"
    suppress(db, person.workspace_id, person.phone, reason="opt_out", proof=proof)


def end_missed(db: Connection) -> int:
    """End what came to wait for a suppressed number while its suppression was being committed: a launch, or a message
    that went back to the queue. Neither transaction could see the other. Returns how many those were.

    Nobody else would: such a message is passed over by begin, and its campaign would never end.
    """
    return db.execute(
        text(
            "UPDATE messages m SET status = 'suppressed', error_code = 'suppressed', error_reason = NULL"
            " FROM suppressions s WHERE s.created_at > clock_timestamp() - interval '1 hour'"
            " AND m.workspace_id = s.workspace_id AND m.phone = s.phone AND m.status = 'queued'"
        )
    ).rowcount
