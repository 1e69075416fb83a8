"""The demo's parts: what it says, what it asks, where it runs, how it is shown."""
