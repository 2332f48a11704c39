"""What the page asks for, as plain data: requests in, answers out, no sockets."""
