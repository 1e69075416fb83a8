"""How sensitive a request is: detectors, labels, conversation memory, egress."""
