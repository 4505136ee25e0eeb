"""Cliniko over HTTP: the documented behaviour, faults and traps included."""
