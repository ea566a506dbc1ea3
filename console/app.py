"""The console's script: one run for each visit and press. The gate comes before the navigation, so that no page is built
for a stranger.

A view (views/) is a page and draws itself from these pieces: words.py (every text), shown.py (every number and time),
reading.py (every figure), writing.py (every change), live.py (what refreshes by itself), links.py (addresses), parts/.
"""

from __future__ import annotations

import streamlit as st

from console import gate, links, look, shell, words
from console.links import PAGES
from console.words import _

st.set_page_config(page_title="Fanfare", page_icon="📣", layout="wide")
look.dress()
words.keep_in_address()

if gate.passed():
    page = st.navigation(
        {
            _("Live"): [
                st.Page(PAGES["overview"], title=_("Overview"), icon=":material/monitor_heart:", default=True),
                st.Page(PAGES["devices"], title=_("Phones"), icon=":material/smartphone:", url_path="devices"),
            ],
            _("Campaigns"): [
                st.Page(PAGES["campaigns"], title=_("All campaigns"), icon=":material/campaign:", url_path="campaigns"),
                st.Page(PAGES["new"], title=_("New campaign"), icon=":material/add_circle:", url_path="new"),
                st.Page(PAGES["campaign"], title=_("Campaign"), url_path="campaign", visibility="hidden"),
            ],
            _("Operation"): [
                st.Page(PAGES["system"], title=_("System"), icon=":material/dns:", url_path="system"),
                st.Page(PAGES["search"], title=_("Search"), url_path="search", visibility="hidden"),
            ],
        }
    )
    links.keep_address(page.url_path)
    shell.draw()
    page.run()
