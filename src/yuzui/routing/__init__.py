"""Where a request may go, and where it should go."""
