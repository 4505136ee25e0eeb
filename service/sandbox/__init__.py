"""A seeded clinic world behind real wire protocols: Cliniko over HTTP, Google Ads over gRPC and TLS, Meta over HTTP.

Nothing in the service imports this but the command line and the tests; the service reaches it through the same settings
by which it reaches the real systems.
"""
