"""The rehearsal: an endpoint on this machine that answers like a teacher and fails like one, at no cost.

It speaks the OpenAI protocol (chat completions, models, files, batches) over real sockets on the
loopback interface; what it says is the embedded teacher's. Latency, limits and the share of each
fault are options, so that a recipe and a cron line can be tried before a real teacher is paid:

    coursework rehearse --latency 0.5 --too-many 0.1 --hang-before 0.02
    OPENAI_BASE_URL=http://127.0.0.1:PORT/v1 coursework run RECIPE --model rehearsal

Which fault a request meets is drawn from the seed, the request's bytes and how often they came
before. So a repeated request gets a fresh draw, and a run meets the same faults whatever the order in
which its requests arrive. What was served is counted: GET /rehearsal/counts.

`settings` holds the options, `running` opens the endpoint.
"""

from pipeline.teacher.rehearsal.settings import Rehearsal

__all__ = ["Rehearsal"]
