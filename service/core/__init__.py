"""The pure decision engine: no clock, no network, no logging, no randomness.

What the platforms showed goes in as values and what should be done comes out as values; `now` and ids are arguments. A
stored run can therefore be computed again, byte for byte.
"""
