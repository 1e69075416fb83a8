"""Gateways under test: each file installs one, configures it against the fake upstream, starts and stops it."""
