"""Small models of the architectures that students have, with random weights and a tokenizer for a dataset."""

from __future__ import annotations

from pathlib import Path

from tests.train.made_up_course import BRIEF
from train.dataset import read_dataset
from train.settings import settings_of
from train.students import Student, make_student, save_student

ARCHITECTURES = {
    "llama": ["lm_head", "embed_tokens"],
    "neox": ["lm_head", "embed_in"],
    "opt": ["lm_head", "embed_tokens"],
    "opt-tied": ["embed_tokens"],
}
"""With the layers that an adapter beside random weights trains whole, else no answer could end."""


def base_of_kind(kind: str, dataset: Path, folder: Path) -> Path:
    """Writes such a model to `folder`."""
    from transformers import (
        GPTNeoXConfig,
        GPTNeoXForCausalLM,
        LlamaConfig,
        LlamaForCausalLM,
        OPTConfig,
        OPTForCausalLM,
        set_seed,
    )

    texts = [row.prompt + row.completion for row in read_dataset(dataset).train]
    tokenizer = make_student(settings_of(BRIEF, dataset), texts, folder / "made").tokenizer
    ends = {"bos_token_id": tokenizer.eos_token_id, "eos_token_id": tokenizer.eos_token_id}
    shape = {"vocab_size": len(tokenizer), "hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    # Rows of the head as long as those of a model that has learned: at 0.02 no adapter could teach an end.
    shape |= {"init_std" if kind.startswith("opt") else "initializer_range": 0.4}
    set_seed(3)
    if kind == "llama":
        model = LlamaForCausalLM(LlamaConfig(**shape, **ends, intermediate_size=96))
    elif kind == "neox":
        model = GPTNeoXForCausalLM(GPTNeoXConfig(**shape, **ends, intermediate_size=96, tie_word_embeddings=False))
    else:
        tied = kind == "opt-tied"
        config = OPTConfig(
            **shape, **ends, ffn_dim=96, word_embed_proj_dim=48, max_position_embeddings=256, dropout=0.1,
            pad_token_id=tokenizer.pad_token_id, tie_word_embeddings=tied,
        )  # fmt: skip
        model = OPTForCausalLM(config)
    save_student(Student(model.eval(), tokenizer), folder)
    return folder
