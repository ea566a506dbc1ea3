"""Where Meta must tell us what became of messages: what to enter at Meta, and what is missing here for it."""

from __future__ import annotations

from typing import Final

import streamlit as st

from console import shown
from console.words import _
from console.world import world

PATH: Final = "/webhooks/cloud"
FIELDS: Final = (
    "messages",
    "account_alerts",
    "account_update",
    "account_review_update",
    "business_capability_update",
    "message_template_quality_update",
    "message_template_status_update",
    "phone_number_name_update",
    "phone_number_quality_update",
    "user_preferences",
)


def draw() -> None:
    """What to enter, and the warning when nothing can arrive."""
    settings = world().settings
    if settings.cloud_app_secret is None:
        st.warning(
            _(
                "{setting} is not set, so nothing that Meta tells is believed: receipts and answers do not arrive, and"
                " messages that were sent stay in doubt. Set it to the app's secret at Meta, and restart.",
                setting=shown.isolated("`CLOUD_APP_SECRET`"),
            ),
            icon=":material/warning:",
        )
    with st.expander(_("What to enter at Meta for webhooks"), icon=":material/webhook:"):
        st.markdown(
            _(
                "In Meta's App Dashboard, at WhatsApp, Configuration, as callback URL: the public address of Fanfare's"
                " API, and then {path}",
                path=shown.isolated(f"`{PATH}`"),
            )
        )
        st.code(f"https://…{PATH}", language=None)
        st.markdown(
            _(
                "As verify token: what the setting {setting} says.",
                setting=shown.isolated("`CLOUD_VERIFY_TOKEN`"),
            )
            if settings.cloud_verify_token is not None
            else _(
                "As verify token: a word of yours, which the setting {setting} must say as well. It is not set now.",
                setting=shown.isolated("`CLOUD_VERIFY_TOKEN`"),
            )
        )
        st.markdown(
            _(
                "Subscribe to these fields: {fields}",
                fields=shown.isolated(" ".join(f"`{field}`" for field in FIELDS)),
            )
        )
