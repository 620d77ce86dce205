"""The options of a rehearsal: each is written once, here, and is a field and a command-line option."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from typer import Option

from pipeline.errors import UsageError

RetryAfter = Literal["seconds", "date", "past-date", "negative", "huge", "words", "none"]
LimitName = Literal["either", "max_tokens", "max_completion_tokens"]

_FAULTS = "Faults of transport, as shares of requests (0 to 1)"
_SPOILT = "Faults of what the teacher says, as shares of replies (0 to 1)"
_REFUSALS = "What the endpoint refuses"
_BATCHES = "Batches"
_FORMATS = ("json_schema", "json_object+schema", "json_object")


def _share(panel: str, what: str) -> Any:
    return Option(help=what, min=0.0, max=1.0, rich_help_panel=panel)


@dataclass(frozen=True)
class Rehearsal:
    """How the endpoint behaves. The default is a teacher without fault. Raises UsageError if the shares exceed 1."""

    port: Annotated[int, Option(help="Port on the loopback interface; 0 takes a free one.", min=0, max=65535)] = 0
    latency: Annotated[float, Option(help="Seconds before a reply begins.", min=0)] = 0.0
    jitter: Annotated[float, Option(help="At most so many seconds are added to the latency.", min=0)] = 0.0
    seed: Annotated[int, Option(help="Another seed draws other faults.")] = 0
    fixed: Annotated[
        bool, Option("--fixed", help="One canned reply of five facts to every request, to measure a client by.")
    ] = False

    too_many: Annotated[float, _share(_FAULTS, "429 with a Retry-After.")] = 0.0
    error_500: Annotated[float, _share(_FAULTS, "500, a passing fault.")] = 0.0
    unavailable_503: Annotated[float, _share(_FAULTS, "503 with a Retry-After.")] = 0.0
    reset: Annotated[float, _share(_FAULTS, "The connection is reset in the middle of the body.")] = 0.0
    hang_before: Annotated[float, _share(_FAULTS, "Taken, never answered.")] = 0.0
    hang_after: Annotated[float, _share(_FAULTS, "Headers, then silence.")] = 0.0
    drip: Annotated[float, _share(_FAULTS, "The body comes byte by byte.")] = 0.0
    cut_body: Annotated[float, _share(_FAULTS, "The body is half the JSON, with a Content-Length that fits.")] = 0.0
    retry_after: Annotated[float, Option(help="Seconds that Retry-After asks for.", min=0, rich_help_panel=_FAULTS)] = 1
    retry_after_form: Annotated[
        RetryAfter,
        Option(
            help="How Retry-After is written; from past-date on as only broken servers do.", rich_help_panel=_FAULTS
        ),
    ] = "seconds"
    drip_seconds: Annotated[float, Option(help="Seconds between two bytes.", min=0, rich_help_panel=_FAULTS)] = 1.0

    truncated: Annotated[float, _share(_SPOILT, "The answer stops half-way; finish_reason says stop.")] = 0.0
    length_stop: Annotated[float, _share(_SPOILT, "The list stops inside an item; finish_reason says length.")] = 0.0
    fences: Annotated[float, _share(_SPOILT, "JSON in a Markdown fence.")] = 0.0
    think: Annotated[float, _share(_SPOILT, "Reasoning in <think> tags before the JSON.")] = 0.0
    preface: Annotated[float, _share(_SPOILT, "A sentence before the JSON and one after it.")] = 0.0
    wrong_schema: Annotated[float, _share(_SPOILT, "JSON of another shape.")] = 0.0
    empty: Annotated[float, _share(_SPOILT, "No text.")] = 0.0
    refusal: Annotated[float, _share(_SPOILT, "The teacher declines.")] = 0.0
    duplicate: Annotated[float, _share(_SPOILT, "Every item stands twice in the list.")] = 0.0
    content_filter: Annotated[float, _share(_SPOILT, "Withheld by a content filter.")] = 0.0
    no_usage: Annotated[float, _share(_SPOILT, "No token counts.")] = 0.0
    other_model: Annotated[float, _share(_SPOILT, "The reply names another model.")] = 0.0

    key_refused: Annotated[bool, Option("--key-refused", help="401 to all.", rich_help_panel=_REFUSALS)] = False
    credit_gone_from: Annotated[
        int, Option(help="429 insufficient_quota from this request on; 0: never.", min=0, rich_help_panel=_REFUSALS)
    ] = 0
    model_unknown: Annotated[
        bool, Option("--model-unknown", help="404: there is no such model.", rich_help_panel=_REFUSALS)
    ] = False
    models_fail: Annotated[bool, Option("--models-fail", help="/v1/models answers 500.", rich_help_panel=_REFUSALS)] = (
        False
    )
    formats: Annotated[
        str,
        Option(
            help="Each response_format it takes, joined by commas. plain: none. ignore: takes all, obeys none.",
            rich_help_panel=_REFUSALS,
        ),
    ] = ",".join(_FORMATS)
    format_status: Annotated[
        int, Option(help="Status for other formats; some servers say 500.", min=400, max=599, rich_help_panel=_REFUSALS)
    ] = 400
    limit_name: Annotated[
        LimitName, Option(help="The name it takes for the limit on output.", rich_help_panel=_REFUSALS)
    ] = "either"
    no_temperature: Annotated[
        bool, Option("--no-temperature", help="Any temperature but 1 is a 400.", rich_help_panel=_REFUSALS)
    ] = False
    requests_per_minute: Annotated[
        int, Option(help="429 beyond this pace; 0: no limit.", min=0, rich_help_panel=_REFUSALS)
    ] = 0

    batch_seconds: Annotated[
        float, Option(help="Seconds from a batch's creation to its end.", min=0, rich_help_panel=_BATCHES)
    ] = 1.0
    batch_in_order: Annotated[
        bool, Option("--batch-in-order", help="Results in the order of the requests.", rich_help_panel=_BATCHES)
    ] = False
    batch_too_large: Annotated[
        bool, Option("--batch-too-large", help="Every batch fails its validation.", rich_help_panel=_BATCHES)
    ] = False
    batch_expired: Annotated[float, _share(_BATCHES, "Share of lines that the batch's window ends before.")] = 0.0
    batch_missing: Annotated[float, _share(_BATCHES, "Share of lines that are in neither file.")] = 0.0
    batch_duplicated: Annotated[float, _share(_BATCHES, "Share of results that come twice.")] = 0.0
    batch_unknown: Annotated[float, _share(_BATCHES, "Share of results joined by one that nobody asked for.")] = 0.0
    batch_errors: Annotated[float, _share(_BATCHES, "Share of lines that end in the error file.")] = 0.0

    def __post_init__(self) -> None:
        for names in (CALL_FAULTS, ANSWER_FAULTS, BATCH_SHARES):
            for name in names:
                if not 0 <= getattr(self, name) <= 1:
                    raise UsageError(f"The share {name} is {getattr(self, name):g}; a share lies between 0 and 1.")
        total = sum(getattr(self, name) for name in (*CALL_FAULTS, *ANSWER_FAULTS))
        if total > 1 + 1e-9:
            raise UsageError(f"The shares of faults add up to {total:g}; one request meets one fault, so at most to 1.")
        if self.formats not in ("plain", "ignore") and not self.accepted <= set(_FORMATS):
            raise UsageError(
                f"The formats {self.formats!r} are not known.",
                remedy=f"Join any of {', '.join(_FORMATS)} by commas, or say plain or ignore.",
            )

    @property
    def accepted(self) -> frozenset[str]:
        """The reply formats it takes besides plain text."""
        if self.formats == "ignore":
            return frozenset(_FORMATS)
        return frozenset() if self.formats == "plain" else frozenset(self.formats.split(","))

    @property
    def refuses_a_format(self) -> bool:
        """Some reply format is answered with an error."""
        return bool(set(_FORMATS) - self.accepted)


CALL_FAULTS = (
    "too_many", "error_500", "unavailable_503", "reset", "hang_before", "hang_after", "drip", "cut_body",
)  # fmt: skip
"""Faults of the transport: they may meet any call, a batch's too."""
ANSWER_FAULTS = (
    "truncated", "length_stop", "fences", "think", "preface", "wrong_schema", "empty", "refusal", "duplicate",
    "content_filter", "no_usage", "other_model",
)  # fmt: skip
"""Faults of what the teacher says: they meet requests and the lines of a batch."""
BATCH_SHARES = ("batch_expired", "batch_missing", "batch_duplicated", "batch_unknown", "batch_errors")


def differing(settings: Rehearsal) -> dict[str, Any]:
    """The options that are not at their default."""
    values = {one.name: (getattr(settings, one.name), one.default) for one in fields(settings)}
    return {name: value for name, (value, default) in values.items() if value != default}
