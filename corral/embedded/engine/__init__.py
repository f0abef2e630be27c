"""The embedded engine: runs the program in process, with Kubernetes objects and nothing else."""

from corral.embedded.engine.engine import Engine
from corral.embedded.engine.explanations import EngineError
from corral.embedded.engine.members import Member
from corral.embedded.engine.report import Action, Change, Event, Report
from corral.embedded.engine.summary import DestroySummary

__all__ = [
    "Action",
    "Change",
    "DestroySummary",
    "Engine",
    "EngineError",
    "Event",
    "Member",
    "Report",
]
