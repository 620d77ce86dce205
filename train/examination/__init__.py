"""The examination: base and student answer the same questions, and what follows from their answers."""
