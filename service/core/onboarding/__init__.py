"""A clinic's first rule file, drafted from what its accounts hold: services, campaigns, budgets. Pure."""
