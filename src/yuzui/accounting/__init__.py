"""What a request really cost: usage, prices, ledger."""
