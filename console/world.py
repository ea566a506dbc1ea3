"""What all sessions of the console share: settings, the database, the bridges. Made once in the process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import streamlit as st
from sqlalchemy import Connection, Engine

import settings as environment
import wiring
from bridge.directory import Directory
from console import NEEDED
from db import engine as database
from db.engine import connect
from services.cloud import Cloud
from settings import Settings

CONNECTIONS = 8
PATIENCE_S = 3.0  # how long a press waits for a database that is away

Result = TypeVar("Result")


@dataclass(frozen=True)
class World:
    settings: Settings
    engine: Engine
    bridges: Directory
    cloud: Cloud | None
    password: str

    def run(self, work: Callable[[Connection], Result]) -> Result:
        """Run a service in one transaction."""
        return database.run(self.engine, work, patience_s=PATIENCE_S)


@st.cache_resource
def world() -> World:
    settings = environment.load(*NEEDED)
    engine = connect(environment.given(settings, "database_url"), threads=CONNECTIONS, name="console")
    bridges, cloud = wiring.bridges(settings, engine)
    return World(settings, engine, bridges, cloud, password=environment.given(settings, "console_password"))
