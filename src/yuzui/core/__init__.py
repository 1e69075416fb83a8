"""The vocabulary: values that every station shares. Imports nothing else of ours."""
