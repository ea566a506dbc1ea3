"""What all sessions of the console share: settings and the database. Made once in the process."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from sqlalchemy import Engine

import settings as environment
from db.engine import connect
from settings import Settings

CONNECTIONS = 8


@dataclass(frozen=True)
class World:
    settings: Settings
    engine: Engine
    password: str


@st.cache_resource
def world() -> World:
    settings = environment.load("database_url", "console_password")
    return World(
        settings=settings,
        engine=connect(environment.given(settings, "database_url"), threads=CONNECTIONS, name="console"),
        password=environment.given(settings, "console_password"),
    )
