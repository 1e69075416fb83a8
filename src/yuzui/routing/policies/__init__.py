"""One file per way of ordering permitted targets; found by listing this folder."""
