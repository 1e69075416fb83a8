"""The embedded open model: starts, watches and stops a local inference engine."""
