"""The report of a run: one page that says what came of it, for whoever looks in the morning."""
