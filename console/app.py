"""The console. The gate comes before the navigation, so that no page is built for a stranger."""

import streamlit as st

from console.gate import passed

st.set_page_config(page_title="Fanfare", page_icon="📣", layout="wide")

if passed():
    st.navigation([st.Page("views/overview.py", title="Overview", default=True)]).run()
