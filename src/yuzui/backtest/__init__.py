"""What recorded traffic would have done under another configuration: replay, tally, report, gates."""
