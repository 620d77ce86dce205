"""Records in, a dataset folder out: split, formats, card, manifest."""
