"""What upstreams speak: each file reads a vendor's requests into facts and writes the truth as that vendor would."""
