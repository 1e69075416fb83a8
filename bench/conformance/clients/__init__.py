"""What clients speak: each file sends a case's body and reads the answer as strictly as that dialect's official client."""
