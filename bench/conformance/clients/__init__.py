"""What clients speak: each file sends a case's body and reads the answer as its official client does."""
