"""Makes `routing_kit` importable from the folders below."""
