"""The Batch API lane: requests go to the endpoint in files, and a later run collects the replies.

A batch is written down in the ledger before the endpoint hears of it, under a name of ours that
travels in the job's metadata, and with the file it is made of before it is asked for. So a run that dies
between the two finds the job by either, or knows in time that there is none, and nothing is sent twice.
Its requests stay reserved until the batch is collected.

`lines` reads and writes the files, `jobs` is the ledger's account, `service` speaks to the endpoint
through `calls`, `harvest` sorts what came back, `unclaimed` keeps what is nobody's, `lane` does one after the other.
"""

from pipeline.teacher.batches.jobs import Jobs
from pipeline.teacher.batches.lane import Lane, Say, open_lane

__all__ = ["Jobs", "Lane", "Say", "open_lane"]
