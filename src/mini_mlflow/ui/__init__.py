"""The page: look at runs in a browser."""
