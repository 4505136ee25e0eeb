"""The store, put together: one database, and each concern of it under its name."""

from __future__ import annotations

from datetime import datetime

from service.monitor import Monitor
from service.store.approvals import Approvals
from service.store.archives import Archives
from service.store.database import Database
from service.store.decisions import Decisions
from service.store.history import History
from service.store.holds import Holds
from service.store.intents import Intents
from service.store.keys import Keys
from service.store.leases import Leases
from service.store.ledger import Ledger
from service.store.looks import Looks
from service.store.migrate import Migrated, migrate
from service.store.notes import Notes
from service.store.outbox import Outbox
from service.store.overview import Overviews
from service.store.pace import Pace
from service.store.remembered import Remembered, remembered
from service.store.repeats import Repeats
from service.store.reports import Reports
from service.store.retention import Retention
from service.store.rules import Rules
from service.store.runs import Runs
from service.store.sessions import Sessions
from service.store.snapshots import Snapshots
from service.store.state import Memory
from service.store.tail import Tail
from service.store.undisturbed import at_once, in_steps, undisturbed


@undisturbed
class Store:
    """Everything the service keeps. It has no clock and makes up no ids: both come in as arguments."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.ledger = Ledger(database)
        self.tail = Tail(database)
        self.archives = Archives(database)
        self.runs = Runs(database)
        self.snapshots = Snapshots(database)
        self.history = History(database)
        self.decisions = Decisions(database)
        self.memory = Memory(database)
        self.intents = Intents(database)
        self.leases = Leases(database)
        self.holds = Holds(database)
        self.approvals = Approvals(database)
        self.keys = Keys(database)
        self.sessions = Sessions(database)
        self.rules = Rules(database)
        self.looks = Looks(database)
        self.pace = Pace(database)
        self.reports = Reports(database)
        self.notes = Notes(database)
        self.outbox = Outbox(database)
        self.repeats = Repeats(database)
        self.retention = Retention(database)
        self.overview = Overviews(database)

    @classmethod
    def open(cls, url: str, monitor: Monitor | None = None) -> Store:
        """The store at a database URL; connections are made when needed. Raises SettingsError for a URL it cannot use."""
        return cls(Database(url, monitor))

    @in_steps
    async def migrate(self) -> Migrated:
        """Bring the database's tables up to this version. Raises StoreError."""
        return await migrate(self._database)

    @at_once
    async def remembered(self, clinic: str, now: datetime) -> Remembered:
        """What earlier runs and people left for a clinic's next run. Raises StoreError."""
        return await self._database.read(lambda conn: remembered(conn, clinic, now))

    async def ping(self) -> None:
        """Ask the database for a sign of life. Raises StoreError."""
        await self._database.ping()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._database.aclose()
