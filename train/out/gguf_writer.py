"""Writes a Llama with a byte-level tokenizer as a GGUF file, with the `gguf` package alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from train.students import Student

TYPES = ("f16", "q8_0")
"""What this writer can write; finer kinds are llama.cpp's own to quantise."""
SMALLEST_BLOCK = 32
"""Weights that Q8_0 scales together; a row that is no multiple of it stays F16, as llama.cpp leaves it too."""


def why_not(student: Student) -> str:
    """What of a student this writer cannot write, empty if it can: a file that nearly fits answers nearly well."""
    config, tokenizer = student.model.config, json.loads(student.tokenizer.backend_tokenizer.to_str())
    pieces, splitter = tokenizer["model"], tokenizer["pre_tokenizer"] or {}
    if config.model_type != "llama":
        return f"it is a {config.model_type} and no Llama"
    if _rope(config).get("rope_type", "default") != "default":
        return "its positions are scaled"
    if config.attention_bias or config.mlp_bias or config.hidden_act != "silu":
        return "its layers are not those of a plain Llama"
    if pieces["type"] != "BPE" or pieces.get("byte_fallback") or pieces.get("ignore_merges"):
        return "its tokenizer is not byte-level BPE"
    plain = splitter.get("type") == "ByteLevel" and splitter["use_regex"] and not splitter["add_prefix_space"]
    if not plain or tokenizer["normalizer"]:
        return "its tokenizer does not part a text as GPT-2's does"
    return ""


def write_gguf(student: Student, path: Path, kind: str, name: str, description: str) -> None:
    """Writes the student's weights, tokenizer and chat template to `path`, as f16 or q8_0."""
    from gguf import GGUFWriter

    writer = GGUFWriter(path, "llama")
    writer.add_name(name)
    writer.add_description(description)
    _shape(writer, student.model.config, kind)
    _tokenizer(writer, student)
    _weights(writer, student.model, kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _rope(config: Any) -> dict[str, Any]:
    return getattr(config, "rope_parameters", None) or {}


def _shape(writer: Any, config: Any, kind: str) -> None:
    from gguf import GGML_QUANT_VERSION, LlamaFileType

    head = config.head_dim or config.hidden_size // config.num_attention_heads
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_rope_dimension_count(head)
    writer.add_rope_freq_base(float(_rope(config).get("rope_theta", 10_000.0)))
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_file_type(LlamaFileType.MOSTLY_F16 if kind == "f16" else LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(GGML_QUANT_VERSION)


def _tokenizer(writer: Any, student: Student) -> None:
    from gguf import TokenType

    tokenizer, size = student.tokenizer, student.model.config.vocab_size
    names = {number: token for token, number in tokenizer.get_vocab().items()}
    added = tokenizer.added_tokens_decoder
    kinds = {number: TokenType.CONTROL if token.special else TokenType.USER_DEFINED for number, token in added.items()}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([names.get(number, f"[PAD{number}]") for number in range(size)])
    writer.add_token_types(
        [kinds.get(number, TokenType.NORMAL if number in names else TokenType.UNUSED) for number in range(size)]
    )
    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    writer.add_token_merges([pair if isinstance(pair, str) else " ".join(pair) for pair in merges])
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    if tokenizer.bos_token_id is not None:
        writer.add_bos_token_id(tokenizer.bos_token_id)
    # Said also where it is false: a runtime that guesses would put a token before the prompt that was never trained.
    writer.add_add_bos_token(begins_with_bos(tokenizer))
    if tokenizer.chat_template:
        writer.add_chat_template(tokenizer.chat_template)


def begins_with_bos(tokenizer: Any) -> bool:
    """Whether the tokenizer itself puts begin-of-text before a text."""
    begin = tokenizer.bos_token_id
    return begin is not None and tokenizer("a")["input_ids"][:1] == [begin]


def _weights(writer: Any, model: Any, kind: str) -> None:
    import numpy as np
    from gguf import MODEL_ARCH, GGMLQuantizationType, get_tensor_name_map, quantize

    config = model.config
    names = get_tensor_name_map(MODEL_ARCH.LLAMA, config.num_hidden_layers)
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue  # a runtime that finds no head takes the embedding
        weights = tensor.float().numpy()
        if name.endswith("q_proj.weight"):
            weights = _as_llama_cpp_turns(weights, config.num_attention_heads)
        if name.endswith("k_proj.weight"):
            weights = _as_llama_cpp_turns(weights, config.num_key_value_heads)
        written = names.get_name(name, try_suffixes=(".weight",))
        if weights.ndim == 1:
            writer.add_tensor(written, weights)
        elif kind == "q8_0" and weights.shape[-1] % SMALLEST_BLOCK == 0:
            eight_bits = GGMLQuantizationType.Q8_0
            writer.add_tensor(written, quantize(weights, eight_bits), raw_dtype=eight_bits)
        else:
            writer.add_tensor(written, weights.astype(np.float16))


def _as_llama_cpp_turns(weights: Any, heads: int) -> Any:
    """Rows reordered: transformers turns the first half of a head against the second, llama.cpp neighbours."""
    halves = weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:])
    return halves.swapaxes(1, 2).reshape(weights.shape)
