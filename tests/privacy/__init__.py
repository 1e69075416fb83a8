"""Tests of privacy/. A package, so that test files may be named like those of other stations."""
