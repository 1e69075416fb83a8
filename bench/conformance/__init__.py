"""The conformance matrix: what a gateway loses between a client's dialect and an upstream's wire format."""
