"""The desk: where sheets lie, what a person has said on them, and what that makes of the records.

laid.py        what was laid before a person, kept in the ledger
said.py        all that a person has said: verdicts, edits, rules, and what is to be mended
decisions.py   what all of that comes to
reviewed.py    the records as the person wants them
edits.py       what the checks say against a text that a person edited
beside.py      what a run leaves beside the sheets, so that they can be checked without recipe and documents
checking.py    what is wrong with sheets, and where
watching.py    files that are looked at until somebody saves them
"""
