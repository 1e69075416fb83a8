"""What detection finds, misses and flags in vain, measured on data that nobody here wrote."""
