"""Does a store keep the rules of docs/format.md, and what of it can be mended?"""
