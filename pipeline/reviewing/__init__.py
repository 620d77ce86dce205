"""The review page: the sheets as a page in a browser on this machine, written by the same rules as by an editor."""
