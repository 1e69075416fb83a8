"""Everything that touches the world: HTTP, databases, files, clock, secrets, telemetry."""
