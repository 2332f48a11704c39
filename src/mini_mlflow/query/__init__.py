"""Which runs does a filter mean, and in which order? Text in, rows of a table out; no file is touched."""
