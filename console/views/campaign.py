"""Not built yet: its builder replaces this file."""

import streamlit as st

st.title("campaign")
