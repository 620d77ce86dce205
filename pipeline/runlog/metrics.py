"""A run's facts as metrics for Prometheus, in the text format that its node exporter collects from files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pipeline.runlog.facts import Facts


def metrics(facts: Facts, last_done: datetime | None) -> bytes:
    """All that is known of a run; what it never came to know has no metric. `last_done` is when one last ended well."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Run(facts, last_done))
    return generate_latest(registry)


class _Run(Collector):
    def __init__(self, facts: Facts, last_done: datetime | None) -> None:
        self._facts = facts
        self._last_done = last_done

    def collect(self) -> Iterator[Metric]:
        """As the client's registry asks for them."""
        yield from self._end()
        yield from self._counts()
        yield from self._money()
        yield from self._left_to_people()

    def _gauge(self, name: str, says: str, value: float | Mapping[str, float], by: str = "") -> Metric:
        labels = ["recipe", by] if by else ["recipe"]
        family = GaugeMetricFamily(f"coursework_{name}", says, labels=labels)
        recipe = self._facts.recipe or self._facts.path
        if isinstance(value, Mapping):
            for which, number in value.items():
                family.add_metric([recipe, which], number)
        else:
            family.add_metric([recipe], value)
        return family

    def _end(self) -> Iterator[Metric]:
        facts = self._facts
        yield self._gauge("build_info", "Version that ran.", {facts.versions.get("coursework", ""): 1}, "version")
        yield self._gauge("run_start_timestamp_seconds", "When the last run began.", facts.began.timestamp())
        if facts.ended is not None:
            yield self._gauge("run_end_timestamp_seconds", "When the last run ended.", facts.ended.timestamp())
        if facts.end is not None and facts.end.code is not None:
            yield self._gauge("run_exit_code", "Exit code of the last run; 0 is done.", facts.end.code)
            yield self._gauge("run_end_info", "Cause of the last run's end.", {facts.end.cause: 1}, "cause")
        if self._last_done is not None:
            when = self._last_done.timestamp()
            yield self._gauge("last_success_timestamp_seconds", "When a run last ended with 0.", when)
        yield self._gauge("run_duration_seconds", "How long the last run took.", facts.seconds)
        stages: dict[str, float] = {}
        for stage in facts.stages:
            stages[stage.name] = stages.get(stage.name, 0.0) + stage.seconds
        yield self._gauge("run_stage_duration_seconds", "How long each stage of it took.", stages, "stage")
        yield self._gauge("run_found_dead", "Earlier runs that began and died.", len(facts.never_ended))

    def _counts(self) -> Iterator[Metric]:
        facts, funnel = self._facts, self._facts.funnel
        yield self._gauge("requests_waiting", "Requests in batches that a later run collects.", facts.waiting)
        yield self._gauge("requests_held", "Changed requests whose old reply stands.", facts.held)
        if funnel is None:
            return
        yield self._gauge("requests_planned", "Requests that the recipe asks for.", funnel.planned)
        yield self._gauge("requests_unanswered", "Requests without a reply.", funnel.planned - funnel.answered)
        yield self._gauge("run_replies", "Replies that came in the last run.", funnel.bought)
        yield self._gauge("drafts", "Drafts in all replies.", funnel.drafts)
        yield self._gauge("drafts_rejected", "Drafts that were rejected.", funnel.rejections, "cause")
        yield self._gauge("rows", "Rows of the dataset, and records withheld.", funnel.published, "file")
        yield self._gauge("rows_flagged", "Rows with a flag for the reviewer.", funnel.flags, "flag")

    def _money(self) -> Iterator[Metric]:
        facts = self._facts
        caps = {span: cap["usd"] for span, cap in facts.budget.items() if "usd" in cap}
        yield self._gauge("budget_limit_usd", "Caps of the recipe, in US dollars.", caps, "span")
        if (cost := facts.cost) is None:
            return
        paid, account = cost.replies + cost.lost, cost.account
        yield self._gauge("run_cost_usd", "What the last run paid, in US dollars.", paid.usd)
        yield self._gauge("run_tokens", "Tokens that the last run paid.", paid.tokens)
        yield self._gauge("spent_today_usd", "Charged on this day (UTC), reservations included.", account.today.usd)
        yield self._gauge("reserved_usd", "Worst case of requests under way or in batches.", account.reserved.usd)
        yield self._counter("paid_usd", "What the dataset has cost, in US dollars.", account.paid.usd)
        yield self._counter("paid_tokens", "Tokens that the dataset has cost.", account.paid.tokens)

    def _counter(self, name: str, says: str, value: float) -> Metric:
        family = CounterMetricFamily(f"coursework_{name}", says, labels=["recipe"])
        family.add_metric([self._facts.recipe or self._facts.path], value)
        return family

    def _left_to_people(self) -> Iterator[Metric]:
        facts = self._facts
        waiting = sum(facts.awaiting.values())
        yield self._gauge("review_lines_awaiting", "Lines of review sheets without a verdict.", waiting)
        yield self._gauge("review_lines_unfollowed", "Lines of review sheets nobody can follow.", facts.unfollowed)
        yield self._gauge("documents_unread", "Documents that could not be read.", len(facts.unread))
