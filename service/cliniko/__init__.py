"""Cliniko, read-only: free/busy data and the reference data that gives it meaning."""
