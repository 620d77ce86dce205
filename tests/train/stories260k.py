"""Karpathy's stories260K, a real pretrained Llama in llama2.c's format, written as a folder that transformers reads."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

BEGIN, END, UNKNOWN = "<s>", "</s>", "<unk>"
BLANK = "▁"


def convert(source: Path, folder: Path, end: str = BEGIN) -> Path:
    """Writes model and tokenizer to `folder`. `end` is what the tokenizer calls end-of-text: its training put `<s>`
    before every story and `</s>` nowhere, so only the first is a token that the model ever says."""
    from transformers import GenerationConfig

    model, tokenizer = read_model(source / "stories260K.bin"), read_tokenizer(source / "tok512.bin", end)
    model.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def read_model(path: Path) -> Any:
    """The checkpoint: seven integers, then float32 tensors, each stacked over the layers."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    data = path.read_bytes()
    dim, ffn, layers, heads, kv_heads, vocabulary, context = struct.unpack("7i", data[:28])
    floats = torch.frombuffer(bytearray(data[28:]), dtype=torch.float32)
    config = LlamaConfig(
        vocab_size=vocabulary, hidden_size=dim, intermediate_size=ffn, num_hidden_layers=layers,
        num_attention_heads=heads, num_key_value_heads=kv_heads, max_position_embeddings=context, rms_norm_eps=1e-5,
        tie_word_embeddings=True, bos_token_id=1, eos_token_id=1, pad_token_id=0,
    )  # fmt: skip
    kv_dim = dim * kv_heads // heads
    shapes = {
        "model.embed_tokens.weight": (vocabulary, dim),
        "input_layernorm": (layers, dim),
        "self_attn.q_proj": (layers, dim, dim),
        "self_attn.k_proj": (layers, kv_dim, dim),
        "self_attn.v_proj": (layers, kv_dim, dim),
        "self_attn.o_proj": (layers, dim, dim),
        "post_attention_layernorm": (layers, dim),
        "mlp.gate_proj": (layers, ffn, dim),
        "mlp.down_proj": (layers, dim, ffn),
        "mlp.up_proj": (layers, ffn, dim),
        "model.norm.weight": (dim,),
    }
    weights: dict[str, Any] = {}
    place = 0
    for name, shape in shapes.items():
        size = torch.Size(shape).numel()
        tensor = floats[place : place + size].view(shape)
        place += size
        if name.startswith("model."):
            weights[name] = tensor.clone()
            continue
        for layer in range(layers):
            piece = tensor[layer]
            if "q_proj" in name or "k_proj" in name:
                piece = _halves(piece, heads if "q_proj" in name else kv_heads)
            weights[f"model.layers.{layer}.{name}.weight"] = piece.clone()
    assert len(floats) - place == context * dim // heads, "what is left over is the two rotary tables"
    model = LlamaForCausalLM(config)
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert (missing, unexpected) == (["lm_head.weight"], [])
    return model.eval()


def _halves(weight: Any, heads: int) -> Any:
    """Rotary pairs lie side by side in llama2.c, half a head apart in transformers."""
    rows, columns = weight.shape
    return weight.view(heads, rows // heads // 2, 2, columns).transpose(1, 2).reshape(rows, columns)


def read_tokenizer(path: Path, end: str = BEGIN) -> Any:
    """SentencePiece's BPE: of the pairs that join to a piece the one of the highest score is merged first."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, processors
    from transformers import PreTrainedTokenizerFast

    pieces = _pieces(path.read_bytes())
    vocabulary = {piece: number for number, (piece, _) in enumerate(pieces)}
    score = dict(pieces)
    splits = [
        (piece[:cut], piece[cut:]) for piece, _ in pieces for cut in range(1, len(piece)) if not piece.startswith("<")
    ]
    merges = [pair for pair in splits if pair[0] in vocabulary and pair[1] in vocabulary]
    merges.sort(key=lambda pair: (-score[pair[0] + pair[1]], vocabulary[pair[0]], vocabulary[pair[1]]))
    made = Tokenizer(models.BPE(vocabulary, merges, unk_token=UNKNOWN, byte_fallback=True, fuse_unk=True))
    made.normalizer = normalizers.Sequence([normalizers.Prepend(BLANK), normalizers.Replace(" ", BLANK)])
    made.decoder = decoders.Sequence(
        [decoders.Replace(BLANK, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    made.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in (UNKNOWN, BEGIN, END)])
    made.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A", pair=f"{BEGIN} $A $B", special_tokens=[(BEGIN, vocabulary[BEGIN])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token=BEGIN, eos_token=end, unk_token=UNKNOWN, pad_token=UNKNOWN,
        model_max_length=512, clean_up_tokenization_spaces=False,
    )  # fmt: skip


def _pieces(data: bytes) -> list[tuple[str, float]]:
    found, place = [], 4
    while place < len(data):
        score, length = struct.unpack("fi", data[place : place + 8])
        place += 8 + length
        found.append((data[place - length : place].decode(), score))
    names = [UNKNOWN, BEGIN, END, *(f"<0x{byte:02X}>" for byte in range(256))]
    return [
        (names[number] if number < len(names) else piece.replace(" ", BLANK), score)
        for number, (piece, score) in enumerate(found)
    ]
