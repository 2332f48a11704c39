"""Which runs are there, which is the best, and what does a table of them look like?"""
