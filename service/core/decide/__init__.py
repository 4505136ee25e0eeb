"""From what the rules want to what may be done: proposals, guardrails, explanations. Pure."""
