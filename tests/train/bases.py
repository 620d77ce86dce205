"""Tiny models of the architectures that students have, of random weights, and adapters trained beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.train.made_up_course import silent


def write_base(folder: Path, architecture: str, tokenizer: Any, tied: bool = False) -> Path:
    """A model of random weights with that tokenizer, saved like one of the hub's."""
    import transformers as hf

    shape: dict[str, Any] = {
        "vocab_size": len(tokenizer), "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
        "max_position_embeddings": 256, "tie_word_embeddings": tied, "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id,
    }  # fmt: skip
    hf.set_seed(3)
    if architecture == "llama":
        config = hf.LlamaConfig(**shape, intermediate_size=64, num_key_value_heads=1)
    elif architecture == "neox":
        config = hf.GPTNeoXConfig(**shape, intermediate_size=64)
    else:
        config = hf.OPTConfig(**shape, ffn_dim=64, word_embed_proj_dim=16)
    model = hf.AutoModelForCausalLM.from_config(config)
    # As far apart as those of a model that has learned something: else no input could make any token likely.
    model.get_output_embeddings().weight.data.mul_(20)
    if architecture == "opt":
        model.model.decoder.project_out.weight.data.mul_(50)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def write_adapted(dataset: Path, base: Path, out: Path, **lora: Any) -> Path:
    """A student that is an adapter beside `base`: four large steps move it far from where it began."""
    from train.sft import train_student

    section = {"base": str(base), "method": "lora", "name": out.name, "steps": 4, "learning_rate": 3e-2}
    section["lora"] = {"rank": 4, "alpha": 8, "dropout": 0.0, **lora}
    return train_student(dataset, section, out.parent, False, silent)
