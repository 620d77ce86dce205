"""Rows of every shape that a dataset may hold, and dataset folders made of them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from hypothesis import strategies as st

from pipeline.publish.schema import PromptFormat, Row

PROMPTS = PromptFormat("Question: {question}\nAnswer:")
REFUSAL = "Let's keep to rivers."

awkward = st.sampled_from(
    [
        '"',
        ";",
        ",",
        "\n",
        "\r\n",
        "\r",
        "\u2028",
        "\u2029",
        "\x85",
        "\t",
        "{question}",
        "'",
        "\\",
        "#",
        "\ufeff",
        "NA",
        "0",
    ]
)
texts = st.lists(st.text(max_size=12) | awkward, min_size=1, max_size=4).map("".join)
"""Anything UTF-8 can write, with what parts lines and fields more often than chance would have it."""


@st.composite
def rows(draw: st.DrawFn) -> Row:
    """Any row: with turns before it or none, with context or none."""
    earlier = draw(st.lists(st.tuples(texts, texts), max_size=2))
    return row(
        draw(texts),
        draw(texts),
        earlier=tuple(text for pair in earlier for text in pair),
        context=draw(st.just("") | texts),
    )


def row(question: str, answer: str, **more: object) -> Row:
    """A row of a dataset whose prompts are PROMPTS."""
    context, earlier = str(more.get("context", "")), more.get("earlier", ())
    plain = {
        "prompt": PROMPTS.of(question, context, earlier), "completion": f" {answer}", "question": question,
        "answer": answer, "kind": "off_topic" if answer == REFUSAL else "document", "refusal": answer == REFUSAL,
        "id": hashlib.sha256("\x1f".join((question, context, *earlier)).encode()).hexdigest()[:16],
        "fact": "f", "source": "rivers.txt", "page": 1, "quote": "", "passage": "", "field": "", "model": "a grammar",
        "edited": False,
    }  # fmt: skip
    return Row.model_validate(plain | more)


def talk(row: Row) -> list[tuple[str, str]]:
    """Who says what, as a trainer ought to see it."""
    said = [*row.earlier, row.question, row.answer]
    if row.context:
        said[0] = f"{row.context}\n\n{said[0]}"
    return [("user" if place % 2 == 0 else "assistant", text) for place, text in enumerate(said)]


def plain_rows(start: int = 0, count: int = 12) -> list[Row]:
    """Unremarkable rows."""
    return [row(f"How long is river {n}?", f"River {n} is {n} km long.") for n in range(start, start + count)]


DIALOGUE = row(
    "And how wide?", 'It is 2 km wide, "they" say;\nby the sea, more.', earlier=("How long is the Elbe?", "1,094 km.")
)
IN_CONTEXT = row(
    "How long is it?", "1,094 km.", context="The Elbe, Tschechisch Labe, is 1,094 km long.\u2028It is old."
)
OFF_TOPIC = row("Who won the cup?", REFUSAL)
EVERY_SHAPE = {
    "train": [*plain_rows(), DIALOGUE, IN_CONTEXT, OFF_TOPIC],
    "rephrased": plain_rows(20, 3),
    "unseen": [
        *plain_rows(30, 2),
        row("How deep is the Oder?", "As deep as it is.", context="Ferries cross the Oder."),
    ],
    "off_topic": [row("Who won the league?", REFUSAL)],
    "near_topic": [],
}


def write_dataset(folder: Path, rows: dict[str, list[Row]], **more: object) -> Path:
    """A dataset folder as publishing writes it; a slice without rows has no file."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for stem, of in rows.items():
        if of:
            text = "".join(each.model_dump_json() + "\n" for each in of).encode()
            (folder / f"{stem}.jsonl").write_bytes(text)
            files[f"{stem}.jsonl"] = hashlib.sha256(text).hexdigest()
    manifest = {
        "name": "rivers", "coursework": "0.1.0", "recipe_sha256": "0" * 64, "recipe": {}, "student": {},
        "prompt_format": PROMPTS.prompt, "refusals": [REFUSAL], "prompts": {}, "models": ["a grammar"],
        "embedded_teacher": False, "sources": {"rivers.txt": "0" * 64},
        "counts": {stem: len(of) for stem, of in rows.items()}, "files": files,
    } | more  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder
