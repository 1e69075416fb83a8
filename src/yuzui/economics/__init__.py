"""What own models cost, per month and per token, and from which volume on they are worth it. Pure."""
