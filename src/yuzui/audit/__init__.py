"""What happened, provably: records, Merkle log, checkpoints, verification."""
