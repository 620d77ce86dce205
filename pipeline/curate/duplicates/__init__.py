"""Which questions ask what another one asks already: the same rejected, the similar flagged, by words and by meaning.

    entry.py        what is compared, and the terms it is compared on
    wording.py      the words of a question as sets that every language has
    comparing.py    two questions side by side
    hashing.py      words and texts as numbers, those of many questions at once
    runs.py         under which number stands which question: sorted arrays
    candidates.py   rare words, and a filter of bits
    blocks.py       which earlier questions are worth comparing: by the three above
    neighbours.py   which earlier questions are near by meaning: all of them, exactly
    store.py        the index on disk, derived and never trusted
    pages.py        the questions themselves, packed
    batch.py        those that are not packed yet
    index.py        the index: decides, remembers what it decided, and answers the same sequence alike

numpy is loaded by `index`, not by this page.
"""
