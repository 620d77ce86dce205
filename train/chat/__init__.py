"""A student is talked to: in the terminal, on a page of this machine, or in a Space."""
