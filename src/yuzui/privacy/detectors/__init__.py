"""One file per kind of sensitive value; found by listing this folder."""
