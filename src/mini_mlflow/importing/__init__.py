"""How do runs of other trackers come into a store? One module for each source, one for how a run comes in."""
