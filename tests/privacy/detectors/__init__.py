"""One table per detector: values made from check-digit functions, and what must stay untouched."""
