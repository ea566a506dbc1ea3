from __future__ import annotations

from hypothesis import settings

# Machines are shared and numbers of a new country load its tables: how long one example takes proves nothing
settings.register_profile("fanfare", deadline=None)
settings.load_profile("fanfare")
