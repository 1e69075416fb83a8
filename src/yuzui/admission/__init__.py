"""Who may send this now: keys, rate limits, budgets."""
