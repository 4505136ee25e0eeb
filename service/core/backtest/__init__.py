"""What rules would have done: stored readings go through rules and guardrails once more, and what comes out is added up.

    readings ─▶ Seeing (outlooks, shared by files that ask the same) ─▶ Course (one file: decisions, carried out at once)
                                                                           └▶ tallies ─▶ Report, Comparison

Campaigns start running at base with nothing remembered, every decision to change something is carried out at once, and an
approval that it would have needed counts as given. What people did to the real campaigns then, holds, the kill switch, and
what the platforms showed are no part of it. Pure.
"""

from service.core.backtest.difference import Difference, differences
from service.core.backtest.model import (
    NO_RUN,
    CampaignReport,
    Candidate,
    Comparison,
    Kind,
    Made,
    Moment,
    Report,
    ServiceReport,
    Setting,
)
from service.core.backtest.replay import Replay
from service.core.backtest.seeing import asks_what_is_expected

__all__ = [
    "NO_RUN",
    "CampaignReport",
    "Candidate",
    "Comparison",
    "Difference",
    "Kind",
    "Made",
    "Moment",
    "Replay",
    "Report",
    "ServiceReport",
    "Setting",
    "asks_what_is_expected",
    "differences",
]
