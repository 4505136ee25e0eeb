"""The manager's rule language: its types, its conditions over metrics, and how a rule remembers. Pure."""
