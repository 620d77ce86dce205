"""Mixing: rows of sets that others made, drawn by lot, checked, and trained beside the dataset's own.

settings.py   what a recipe says under `mix:`
licences.py   licences by their SPDX names, and what follows from them
rows.py       one set's rows, streamed from its files or from the hub
files.py      rows of JSON Lines, JSON, CSV and Parquet files
hub.py        rows of a dataset on the Hugging Face hub
layouts.py    how a row is laid out, and the turns in it
draw.py       which rows are taken: those whose lot is lowest
screen.py     what a row is checked against
seen.py       questions met before, as hashes
similar.py    questions of the dataset's own that another one is similar to
style.py      how texts are written, measured: what a mix changes
shares.py     how many rows each set is to bring
mixing.py     sets in, records out
"""
