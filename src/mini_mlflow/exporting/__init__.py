"""How do runs leave a store for other programs? One module for each form, one for where the answer goes."""
