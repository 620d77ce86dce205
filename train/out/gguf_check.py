"""Holds a GGUF file against the model it was written from: its metadata, and what it answers."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.errors import InputError
from train.out.gguf_writer import begins_with_bos
from train.students import Student

ENDS = ("eos", "eot", "eom")
"""Tokens of a file on which every runtime ends an answer."""


@dataclass(frozen=True)
class Metadata:
    """What a runtime reads out of a file before the first token."""

    architecture: str
    context: int
    rope_base: float
    tokenizer: str
    tokens: int
    stops_on: frozenset[int]
    add_bos: bool | None
    bos: int | None
    chat_template: str


def read_metadata(path: Path) -> Metadata:
    """The metadata of a GGUF file."""
    from gguf import GGUFReader

    fields = GGUFReader(path).fields

    def of(key: str, otherwise: Any = None) -> Any:
        return fields[key].contents() if key in fields else otherwise

    architecture = of("general.architecture")
    ends = (of(f"tokenizer.ggml.{name}_token_id") for name in ENDS)
    return Metadata(
        architecture=architecture,
        context=int(of(f"{architecture}.context_length", 0)),
        rope_base=float(of(f"{architecture}.rope.freq_base", 10_000.0)),
        tokenizer=of("tokenizer.ggml.model", ""),
        tokens=len(fields["tokenizer.ggml.tokens"].data),
        stops_on=frozenset(end for end in ends if end is not None),
        add_bos=of("tokenizer.ggml.add_bos_token"),
        bos=of("tokenizer.ggml.bos_token_id"),
        chat_template=of("tokenizer.chat_template", ""),
    )


def check_metadata(path: Path, student: Student, end: str) -> Metadata:
    """The file's metadata. Raises InputError naming each point in which a runtime would treat it otherwise than it
    was trained: another end of text, another beginning, another template."""
    found, tokenizer, config = read_metadata(path), student.tokenizer, student.model.config
    last = tokenizer.convert_tokens_to_ids(end)
    begins = found.add_bos if found.add_bos is not None else found.tokenizer == "llama"
    rope = getattr(config, "rope_parameters", None) or {}
    faults = [
        what
        for wrong, what in (
            (last not in found.stops_on, f"it was trained to end on {end} ({last}), the file stops on others"),
            (begins != begins_with_bos(tokenizer), f"add_bos_token is {begins}"),
            (begins and found.bos != tokenizer.bos_token_id, f"begin-of-text is token {found.bos}"),
            (found.chat_template != (tokenizer.chat_template or ""), "its chat template is another"),
            (found.tokens != student.model.get_input_embeddings().weight.shape[0], f"it names {found.tokens} tokens"),
            (found.context != student.context, f"its context is {found.context} tokens"),
            (found.rope_base != float(rope.get("rope_theta", 10_000.0)), f"its rope base is {found.rope_base}"),
        )
        if wrong
    ]
    if faults:
        raise InputError(
            f"{path.name} is not the student it was written from: {'; '.join(faults)}.",
            remedy="Nothing was kept. Mend the tokenizer's or the generation's settings beside the model.",
        )
    return found


def open_gguf(path: Path, written_from: Student, prompts: Sequence[str]) -> Student:
    """The file as transformers reads it, weights taken apart again to float32.

    A byte-level tokenizer is read out of the file too, and must part every prompt as the model's does; of another
    kind transformers' reading is not llama.cpp's, so the model's own stands in.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with redirect_stderr(io.StringIO()):  # it draws a bar whoever watches
        model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    if read_metadata(path).tokenizer != "gpt2":
        return replace(written_from, model=model)
    tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    for prompt in prompts:
        if written_from.asked.encode(tokenizer, prompt) != written_from.encode(prompt):
            raise InputError(f"{path.name} parts {prompt[:60]!r} into other tokens than the student does.")
    tokenizer.pad_token = written_from.tokenizer.pad_token
    model.generation_config.eos_token_id = sorted(read_metadata(path).stops_on)
    return Student(model, tokenizer, written_from.rendering)
