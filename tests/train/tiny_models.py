"""Small models of random weights in the three architectures of the presets."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def write_tiny_models(base: Path, folder: Path) -> dict[str, Path]:
    """One folder each for Llama, GPT-NeoX and OPT; the tokenizer is that of the model in `base`."""
    from transformers import (
        AutoModelForCausalLM,
        AutoTokenizer,
        GPTNeoXConfig,
        LlamaConfig,
        OPTConfig,
        PreTrainedConfig,
        set_seed,
    )

    tokenizer = AutoTokenizer.from_pretrained(base)
    end: dict[str, Any] = {
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": tokenizer.eos_token_id,
        "vocab_size": len(tokenizer),
    }
    # Rows of the head as long as those of a model that has learned: at the usual 0.02 none could ever be said for sure.
    end["initializer_range"] = 0.4
    shape: dict[str, Any] = {
        "hidden_size": 32,
        "num_attention_heads": 2,
        "num_hidden_layers": 3,
        "max_position_embeddings": 256,
    }
    configs: dict[str, PreTrainedConfig] = {
        "llama": LlamaConfig(**shape, **end, intermediate_size=64),
        "neox": GPTNeoXConfig(**shape, **end, intermediate_size=64, tie_word_embeddings=False),
        # Like opt-350m: the head is the embedding, narrower than the layers, which norm after and not before.
        "opt": OPTConfig(**shape, **end, init_std=0.4, ffn_dim=64, word_embed_proj_dim=16, do_layer_norm_before=False),
    }
    for name, config in configs.items():
        set_seed(5)
        model = AutoModelForCausalLM.from_config(config)
        model.save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)
    return {name: folder / name for name in configs}
