"""How good an answer is: one file for each kind of scorer, and a catalogue that finds them by name."""
