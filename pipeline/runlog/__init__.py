"""The record of a run: what it was, what it did, what it cost and how it ended.

`facts` is the model, `log` what a run notes down as it goes, `folder` the files under `runs/`. From the facts
follow `metrics` for Prometheus, `trouble` for a quiet night's one line, and what `notify` hands to a command.
"""

from pipeline.runlog.facts import Facts
from pipeline.runlog.log import Log

__all__ = ["Facts", "Log"]
