"""Which questions ask what another one asks already: the same rejected, the similar flagged, by words and by meaning.

    entry.py        what is compared, and the terms it is compared on
    wording.py      the words of a question as sets that every language has
    candidates.py   which earlier questions are worth comparing: blocks of rare words and a filter of bits
    neighbours.py   which earlier questions are near by meaning: all of them, exactly
    store.py        the index on disk, derived and never trusted
    index.py        the index: decides, remembers what it decided, and answers the same sequence alike

numpy is loaded by `index`, not by this page.
"""
