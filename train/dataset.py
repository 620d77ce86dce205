"""The dataset folder as the training stage reads it: checked against its manifest, and known by one hash."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from string import Formatter

from pipeline.errors import InputError
from pipeline.publish.schema import PREFERENCE, SLICES, TRAIN, Manifest, Pair, Row, read_manifest, read_pairs, read_rows

STEMS = (TRAIN, *SLICES)


@dataclass(frozen=True)
class DatasetFolder:
    """A dataset whose files are the ones its manifest names."""

    folder: Path
    manifest: Manifest
    rows: Mapping[str, tuple[Row, ...]]
    sha256: str

    @property
    def train(self) -> tuple[Row, ...]:
        """The rows that are learned."""
        return self.rows[TRAIN]

    def some(self, count: int) -> list[Row]:
        """So many rows at most, dealt round train and the slices, so that answers and refusals are among them."""
        dealt = chain.from_iterable(zip_longest(*(self.rows[stem] for stem in STEMS)))
        return [row for row in dealt if row is not None][:count]

    @property
    def pairs_sha256(self) -> str:
        """The hash of the pairs, which no student but one trained by preference learns from; empty without any."""
        return self.manifest.files.get(f"{PREFERENCE}.jsonl", "")

    def pairs(self) -> tuple[Pair, ...]:
        """The pairs for training by preference. Raises InputError if they are not the ones that the manifest names."""
        if not self.pairs_sha256:
            return ()
        _check_bytes(self.folder / f"{PREFERENCE}.jsonl", self.pairs_sha256)
        return tuple(read_pairs(self.folder))


def read_dataset(folder: Path) -> DatasetFolder:
    """Reads and checks a dataset folder. Raises InputError if a file is missing, changed or has a bad row.

    A slice that the manifest does not name is empty.
    """
    manifest = read_manifest(folder)
    _check_prompt_format(folder / "manifest.json", manifest.prompt_format)
    named = [stem for stem in STEMS if f"{stem}.jsonl" in manifest.files]
    for stem in named:
        _check_bytes(folder / f"{stem}.jsonl", manifest.files[f"{stem}.jsonl"])
    rows = {stem: tuple(read_rows(folder, stem)) if stem in named else () for stem in STEMS}
    if not rows[TRAIN]:
        raise InputError(
            f"{folder / 'train.jsonl'} holds no row: there is nothing to learn.",
            remedy="Look at the rejections and the sheets of the dataset, then publish it again.",
        )
    return DatasetFolder(folder, manifest, rows, fingerprint(manifest))


def fingerprint(manifest: Manifest) -> str:
    """One hash of all that a student learns from and is examined on.

    The card and the schema are left out: a mended sentence there teaches nothing and should not
    have a student trained anew.
    """
    digest = hashlib.sha256()
    for stem in STEMS:
        digest.update(f"{stem} {manifest.files.get(f'{stem}.jsonl', '')}\n".encode())
    for text in (manifest.prompt_format, manifest.context_format, *manifest.refusals):
        digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


def _check_prompt_format(path: Path, prompt_format: str) -> None:
    """A chat with another prompt than the one trained on would look like a student that learned nothing."""
    try:
        names = [name for _, name, _, _ in Formatter().parse(prompt_format) if name is not None]
    except ValueError:
        names = []
    if names != ["question"]:
        raise InputError(
            f"{path}: prompt_format: expected one {{question}} and no other braces, found {prompt_format!r}.",
            remedy="Mend prompt_format in the recipe and publish the dataset again.",
        )


def _check_bytes(path: Path, expected: str) -> None:
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        raise InputError(f"{path} is missing from the dataset folder.", remedy="Publish the dataset again.") from None
    if found != expected:
        raise InputError(
            f"{path} is not the file that manifest.json names (sha256 {found[:12]}, expected {expected[:12]}): "
            "a student trained on it could not be traced to its dataset.",
            remedy="Correct the sheets, not the dataset, and publish again; if a copy broke off, copy it again.",
        )
