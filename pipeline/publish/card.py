"""The dataset card: README.md with the YAML head that the Hugging Face hub reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from pipeline.publish.owed import licence_head, owed
from pipeline.publish.schema import PREFERENCE, SLICES, TRAIN, Manifest, Pair, Row, features
from pipeline.recipe import Recipe

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_WHAT = {
    "train": "trained on",
    "rephrased": "trained facts, asked in wordings that were not trained",
    "unseen": "facts whose whole passage (or persona questions that themselves) were held out",
    "off_topic": "general questions to be refused, from fields held out whole",
    "near_topic": "questions that sound like the topic and are to be refused, from aspects held out whole",
    PREFERENCE: "a better and a worse answer to each question, for training by preference (DPO) and nothing else",
}


"""Licences that the hub calls otherwise than by their SPDX id in small letters."""


def card(manifest: Manifest, recipe: Recipe, drift: Sequence[Sequence[str]] = ()) -> str:
    """The card's text; `drift` is a table of what a mix changes.

    A licence that does not follow from the parts is left to the person: it depends on sources and the teacher's terms.
    """
    return f"---\n{_head(manifest, recipe)}---\n\n{_body(manifest, recipe, drift)}"


def _head(manifest: Manifest, recipe: Recipe) -> str:
    total = sum(manifest.counts.values())
    files = [{"split": stem, "path": f"{stem}.jsonl"} for stem in (TRAIN, *SLICES) if manifest.counts[stem]]
    configs: list[dict[str, Any]] = [{"config_name": "default", "data_files": files}]
    infos: list[dict[str, Any]] = [{"config_name": "default", "features": columns(Row)}]
    if manifest.counts.get(PREFERENCE):  # other columns, so a configuration of its own
        configs.append({"config_name": PREFERENCE, "data_files": f"{PREFERENCE}.jsonl"})
        infos.append({"config_name": PREFERENCE, "features": columns(Pair)})
    head: dict[str, Any] = {
        "pretty_name": manifest.name,
        "language": [recipe.language],
        "task_categories": ["question-answering", "text-generation"],
        "size_categories": [next((label for limit, label in _SIZES if total < limit), "n>1M")],
        "tags": ["synthetic", "coursework"],
        "configs": configs,
        "dataset_info": infos if len(infos) > 1 else {"features": infos[0]["features"]},
    }
    return licence_head(manifest.licence) + yaml.safe_dump(head, sort_keys=False, allow_unicode=True)


def columns(line: type[Row] | type[Pair] = Row) -> list[dict[str, Any]]:
    """A line's columns as the hub writes them: `list: string`, or `dtype: string`."""
    return [
        {"name": name} | ({"list": kind["feature"]["dtype"]} if kind["_type"] == "List" else {"dtype": kind["dtype"]})
        for name, kind in features(line).items()
    ]


def _body(manifest: Manifest, recipe: Recipe, drift: Sequence[Sequence[str]]) -> str:
    parts = [f"# {manifest.name}\n", origin(manifest)]
    if manifest.living_persons:
        parts.append(imitation(manifest))
    stems = (TRAIN, *SLICES, *(stem for stem in (PREFERENCE,) if manifest.counts.get(stem)))
    rows = "\n".join(f"| `{stem}` | {manifest.counts[stem]} | {_WHAT[stem]} |" for stem in stems)
    parts.append(f"| file | rows | what |\n|---|---|---|\n{rows}\n")
    if manifest.remarks:
        listed = "\n".join(f"- {' '.join(remark.split())}" for remark in manifest.remarks)
        parts.append(f"As measured over the whole set:\n\n{listed}\n")
    if recipe.refusals:
        sentences = " or ".join(f"`{sentence}`" for sentence in manifest.refusals)
        parts.append(f"Topic: {recipe.refusals.topic}. What is off it is answered with {sentences}.\n")
    sources = "\n".join(f"- `{name}` (sha256 `{digest}`)" for name, digest in manifest.sources.items())
    parts.append(f"Sources:\n\n{sources}\n")
    if manifest.mix:
        parts += owed(manifest, {name: one.taken for name, one in manifest.mix.items()}, manifest.counts[TRAIN])
    if drift:
        table = "\n".join(f"| {' | '.join(row)} |" for row in (drift[0], ["---"] * len(drift[0]), *drift[1:]))
        parts.append(f"How answered rows of `train.jsonl` are written, without the mix and with it:\n\n{table}\n")
    pairs = f'pairs = load_dataset("path/to/this/folder", "{PREFERENCE}")["train"]  # for TRL\'s DPOTrainer\n'
    parts.append(
        "```python\nfrom datasets import load_dataset\n\n"
        'rows = load_dataset("path/to/this/folder")["train"]  # TRL takes its prompt and completion as they are\n'
        f"{pairs if manifest.counts.get(PREFERENCE) else ''}```\n"
    )
    return "\n".join(parts)


def imitation(manifest: Manifest) -> str:
    """What has to be said wherever answers in the manner of a living person are shown."""
    names = ", ".join(manifest.living_persons)
    return (
        f"**Synthetic imitation.** The answers imitate the manner of {names}, a living person. None of them"
        " was said or approved by that person; they state no facts about anyone. Say so wherever they are shown.\n"
    )


def origin(manifest: Manifest) -> str:
    """Who wrote the rows: a teacher, or the rule-based stand-in."""
    models = ", ".join(f"`{name}`" for name in manifest.models) or "nobody"
    if manifest.embedded_teacher:
        return (
            f"Drafted by {models}, the **rule-based stand-in** that coursework runs when no teacher is set: it quotes"
            " and recombines, and no language model wrote any of it. For a real teacher set `OPENAI_API_KEY` (or a"
            " `base_url`) and name a model in the recipe.\n"
        )
    return f"Drafted by {models}; checked, deduplicated and split by coursework {manifest.coursework}.\n"
