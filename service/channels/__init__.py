"""Telling people through Apprise: e-mail, Slack, Teams, webhooks and whatever else has an address it knows.

Nothing else knows the library. It takes a second to import, so that it is imported when something is sent for the first time.
"""
