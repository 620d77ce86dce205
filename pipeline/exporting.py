"""A dataset folder in, a folder in a trainer's format out: read as a stream, whole or not there."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from pipeline import __version__
from pipeline.errors import InputError, UsageError
from pipeline.files import replaced_whole, sha256, write_folder
from pipeline.kinds import IMPORTED
from pipeline.publish.formats import FORMATS
from pipeline.publish.formats.beside import EXPORT, README, ExportFile, readme
from pipeline.publish.formats.encodings import Line
from pipeline.publish.formats.form import Cannot, Format, Written
from pipeline.publish.formats.openai_rules import faults
from pipeline.publish.schema import PREFERENCE, SLICES, TRAIN, Manifest, read_manifest, read_pairs, read_rows

_SHOWN, _MOST_FAULTS = 3, 1000
"""Faults named in a complaint, and the most that are looked for."""
_PAIRS = "pairs of answers go out with --format dpo"


def export(dataset: Path, name: str, out: Path | None, tell: Callable[[str], None]) -> Path:
    """Write the dataset in the format of that name to `out` (or `exports/NAME` beside the dataset); returns the folder.

    What was exported there before is replaced; anything else in the folder is not. Raises UsageError for an unknown
    format and for a folder that holds other things, InputError for a damaged dataset, for one of which nothing can be
    exported, and for one that breaks the rules of the service it is for.
    """
    if name not in FORMATS:
        raise UsageError(f"--format: expected one of {', '.join(FORMATS)}, found {name!r}.")
    form, manifest = FORMATS[name], read_manifest(dataset)
    stems = _whole(dataset, manifest, form)
    out = out or dataset.resolve().parent / "exports" / name
    _holds_only_exports(out)
    streams = _by_file(dataset, form, manifest, stems)
    with replaced_whole(out) as aside:
        write_folder(aside, _chunks(streams, form), lambda hashes: _beside(name, dataset, streams, hashes), EXPORT)
        _by_the_rules(dataset, form, aside)
    left_out = _left_out(streams)
    for stem, stream in streams.items():
        tell(f"{stream.rows:>8}   {form.file(stem)}")
    for why, rows in left_out.items():
        tell(f"left out: {rows} rows, for {why}")
    return out


def openai_faults(path: Path) -> Iterator[str]:
    """What OpenAI's published rules have against a file, each as file:line: what. Raises InputError without one."""
    try:
        for fault in faults(path):
            yield fault.at(path)
    except OSError as fault:
        raise InputError(f"{path}: {fault.strerror}.") from fault


@dataclass
class _Stream:
    """The lines of one exported file; gone through as often as the encoding needs."""

    dataset: Path
    form: Format
    manifest: Manifest
    stems: Sequence[str]
    """Files of the dataset that it is made of."""
    rows: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    mixed: Counter[str] = field(default_factory=Counter)
    """Rows of each set that is mixed in."""

    def __iter__(self) -> Iterator[Line]:
        self.rows, self.left_out, self.mixed = 0, Counter(), Counter()
        prompts = self.manifest.format_of_prompts
        for stem in self.stems:
            for row in read_pairs(self.dataset) if self.form.pairs else read_rows(self.dataset, stem):
                lines = self.form.lines(row, prompts)
                if isinstance(lines, Cannot):
                    self.left_out[lines.why] += 1
                else:
                    self.rows += 1
                    if row.kind == IMPORTED:
                        self.mixed[row.source] += 1
                    yield from lines


def _whole(dataset: Path, manifest: Manifest, form: Format) -> list[str]:
    """Stems of the dataset's files that are exported, each the file that the manifest vouches for."""
    wanted = (PREFERENCE,) if form.pairs else (TRAIN, *SLICES)
    stems = [stem for stem in wanted if f"{stem}.jsonl" in manifest.files]
    if form.pairs and not stems:
        raise InputError(
            f"{dataset} holds no pairs.", remedy="Name `preference:` under drafters: in the recipe, and run it."
        )
    if not form.pairs and TRAIN not in stems:
        raise InputError(f"{dataset / 'manifest.json'}: names no train.jsonl.", remedy="Publish the dataset again.")
    for stem in stems:
        path = dataset / f"{stem}.jsonl"
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            raise InputError(
                f"{path} is missing from the dataset folder.", remedy="Publish the dataset again, or copy it whole."
            ) from None
        if found != manifest.files[path.name]:
            raise InputError(
                f"{path} is not the file that manifest.json vouches for: what is exported could not be traced.",
                remedy="Correct the sheets, not the dataset, and publish again; if a copy broke off, copy it again.",
            )
    return stems


def _holds_only_exports(out: Path) -> None:
    """The folder is replaced as a whole, so nothing of anybody else's may stand in it."""
    if not out.exists():
        return
    try:
        known = {EXPORT, *ExportFile.model_validate_json((out / EXPORT).read_bytes()).files}
    except (OSError, ValidationError):
        known = set()
    strangers = sorted(path.name for path in out.iterdir() if path.name not in known) if out.is_dir() else [out.name]
    if strangers:
        raise UsageError(
            f"{out} holds {strangers[0]}, which no export put there; the folder is replaced whole.",
            remedy="Name a new folder with --out, or move what is yours out of this one.",
        )


def _by_file(dataset: Path, form: Format, manifest: Manifest, stems: Sequence[str]) -> dict[str, _Stream]:
    parts: dict[str, list[str]] = {}
    for stem in stems:
        parts.setdefault(form.stem_of(stem), []).append(stem)
    return {stem: _Stream(dataset, form, manifest, of) for stem, of in parts.items()}


def _chunks(streams: Mapping[str, _Stream], form: Format) -> Iterator[tuple[str, bytes]]:
    """File name and the next bytes. A file without a row is not written: loaders refuse an empty one."""
    for stem, stream in streams.items():
        if next(iter(stream), None) is None:
            continue
        for chunk in form.encoding.encode(stream, form.columns):
            yield form.file(stem), chunk


def _beside(name: str, dataset: Path, streams: Mapping[str, _Stream], hashes: Mapping[str, str]) -> dict[str, bytes]:
    """The small files, given the hashes of the files of rows."""
    form, manifest = FORMATS[name], streams[TRAIN].manifest
    mixed = {name: streams[TRAIN].mixed[name] for name in manifest.mix if streams[TRAIN].mixed[name]}
    written = Written(manifest.name, {stem: stream.rows for stem, stream in streams.items() if stream.rows}, mixed)
    left_out = _left_out(streams)
    if TRAIN not in written.rows:
        why = "; ".join(f"{rows} rows, for {why}" for why, rows in left_out.items()) or "it holds no row"
        raise InputError(f"{dataset / 'train.jsonl'}: nothing of it can be exported as {name}: {why}.")
    texts = {**form.beside(written), README: readme(form, written, manifest, left_out)}
    small = {file: text.encode() for file, text in texts.items()}
    about = ExportFile(
        format=name,
        dataset=manifest.name,
        manifest_sha256=sha256((dataset / "manifest.json").read_bytes()),
        coursework=__version__,
        rows=dict(written.rows),
        mixed=dict(written.mixed),
        left_out=left_out,
        files=dict(sorted({**hashes, **{file: sha256(content) for file, content in small.items()}}.items())),
    )
    small[EXPORT] = (json.dumps(about.model_dump(), ensure_ascii=False, indent=2) + "\n").encode()
    return small


def _left_out(streams: Mapping[str, _Stream]) -> dict[str, int]:
    found = sum((stream.left_out for stream in streams.values()), Counter[str]())
    one = next(iter(streams.values()))
    pairs = 0 if one.form.pairs else one.manifest.counts.get(PREFERENCE, 0)
    return dict(found) | ({_PAIRS: pairs} if pairs else {})


def _by_the_rules(dataset: Path, form: Format, aside: Path) -> None:
    """The service's published rules hold for the file that is trained on; its lines are those of the dataset's."""
    found = list(islice(form.rules(aside / form.file(TRAIN)), _MOST_FAULTS))
    if found:
        shown = "; ".join(each.at(dataset / "train.jsonl") for each in found[:_SHOWN])
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise InputError(
            f"{form.trainer} would not take this: {shown}{more}.",
            remedy="Correct or drop these rows in the sheets, and publish the dataset again.",
        )
