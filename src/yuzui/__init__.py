"""Yuzui: one endpoint in front of closed and open models."""

__version__ = "0.1.0"
