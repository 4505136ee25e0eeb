"""What a rule file says and can hardly mean: dead rules, contradictions, latches and ladders that flap. Pure."""
