"""Properties are judged by what comes out, not by how busy the machine was."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("settings-room", deadline=None)
settings.load_profile("settings-room")
