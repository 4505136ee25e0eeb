"""What a rule file says and can hardly mean: dead rules, contradictions, latches that flap, budgets nobody is granted. Pure."""
