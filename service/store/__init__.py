"""What the service remembers: the ledger, runs and what they worked on, and people's words, in one database.

The only place that knows SQL. Everything that belongs together is written in one transaction, and none is held open across
anything but SQL. SQLite is the default; the statements are those PostgreSQL understands as well.
"""
