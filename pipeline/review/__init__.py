"""Records laid before a person as JSONL sheets, and what the person decided."""
