"""Routing measured on outcomes of real models."""
