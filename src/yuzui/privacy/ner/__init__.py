"""Names, organisations and addresses in plain words: segments, decoding, rules, merging. Models are handed in."""
