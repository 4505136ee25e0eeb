"""The web API: what an agency reads, and the few things it may ask for. Handlers translate; they decide nothing."""
