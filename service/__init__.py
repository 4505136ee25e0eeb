"""The ad-spend governor: ad budgets that follow the appointments a clinic can actually sell.

The folders are the words of the design: `core` is the pure decision engine, `cliniko`, `google_ads`, `meta` and `store` are
the outside systems, `governor` is one run as named steps, and `app` puts them together.
"""

from importlib.metadata import version

__version__ = version("ad-spend-governor")
