"""A small clinic for rules that tests write by hand: two services, three campaigns."""

from __future__ import annotations

TEXT = """version: 1
clinic: quay
name: The Quay
currency: AUD
notify: [marketing]
google_ads: {customer_id: "1234567890"}
services:
  physio: {appointment_types: [First]}
  feet: {appointment_types: [Feet]}
campaigns:
  a: {platform: google, id: "1", service: physio, base_budget: 60.00, floor: 10.00, ceiling: CEILING}
  b: {platform: google, id: "2", service: physio, base_budget: 40.00, floor: 10.00, ceiling: 80.00}
  c: {platform: google, id: "3", service: feet, base_budget: 40.00, floor: 10.00, ceiling: 80.00}
"""


def clinic(ceiling: str) -> str:
    """A rule file up to its rules; `ceiling` is campaign `a`'s."""
    return TEXT.replace("CEILING", ceiling)
