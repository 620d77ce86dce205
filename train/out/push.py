"""A dataset or a student on its way to the Hugging Face hub: shown first, sent only when told to."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from pipeline.errors import InputError, KeyRefused, TeacherError, UsageError
from pipeline.publish.schema import Manifest, read_manifest
from train.dataset import read_dataset
from train.files import write_whole
from train.out.card import card_of, imitation
from train.out.merge import merge_student
from train.progress import Progress, Say, no_progress
from train.settings import LOCAL
from train.student_json import FILE as STUDENT
from train.student_json import StudentFile, read_student
from train.students import looks_like_path

CARD = "README.md"
_REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_NON_COMMERCIAL, _NO_DERIVATIVES = (re.compile(rf"(^|[-\s]){word}([-\s]|$)", re.IGNORECASE) for word in ("NC", "ND"))
EXTRAS = ("examination.json", "examination.md", "examination.html")


@dataclass(frozen=True)
class Terms:
    """Under what the person who pushes says that it may be seen."""

    public: bool = False
    non_commercial: bool = False
    licence: str = ""


@dataclass(frozen=True)
class Parcel:
    """What would be uploaded: a path in the repository to the file on this machine."""

    kind: Literal["dataset", "model"]
    files: Mapping[str, Path]

    def lines(self) -> Iterable[str]:
        """One line a file, with its size and hash."""
        for name, path in self.files.items():
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            yield f"{path.stat().st_size:>14,}  {digest}  {name}"


def parcel_of(what: Path, terms: Terms, say: Say, progress: Progress = no_progress) -> Parcel:
    """The files of a dataset or a student, its card among them. Raises InputError if it may not be handed on."""
    if (what / STUDENT).exists():
        return _student(what, terms, say, progress)
    if terms.licence:
        raise UsageError("--licence is for a student; a dataset's stands in its recipe.")
    manifest = read_manifest(what)
    read_dataset(what)
    _may_be_handed_on(manifest, terms)
    imitation(what, manifest)
    _licence_for_all(manifest.licence, terms)
    files = {name: what / name for name in (CARD, "manifest.json", *manifest.files)}
    for name, path in files.items():
        if not path.is_file():
            raise InputError(f"{path} is missing from the dataset folder.", remedy="Publish the dataset again.")
        if name in manifest.files and hashlib.sha256(path.read_bytes()).hexdigest() != manifest.files[name]:
            raise InputError(f"{path} is not the file that manifest.json names.", remedy="Publish the dataset again.")
    return Parcel("dataset", files)


def send(parcel: Parcel, repo: str, terms: Terms) -> str:
    """Uploads a parcel as one commit and returns its address. The key comes from HF_TOKEN and nowhere else."""
    if find_spec("huggingface_hub") is None:
        raise UsageError(
            "Uploading needs huggingface_hub, which is not installed.",
            remedy='Install it with: pip install "coursework[train]"',
        )
    from httpx2 import HTTPError
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.errors import HfHubHTTPError

    token = os.environ.get("HF_TOKEN")
    if not token:
        raise UsageError("Nothing can be uploaded without a key.", remedy="Set HF_TOKEN to a token that may write.")
    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"), token=token)
    added = [CommitOperationAdd(name, str(path)) for name, path in parcel.files.items()]
    try:
        api.create_repo(repo, repo_type=parcel.kind, private=not terms.public, exist_ok=True)
        done = api.create_commit(repo, added, commit_message="Uploaded by coursework", repo_type=parcel.kind)
    except HfHubHTTPError as fault:
        refused = fault.response is not None and fault.response.status_code in (401, 403)
        kind = KeyRefused if refused else TeacherError
        raise kind(
            f"The hub refuses {repo}: {str(fault).strip().splitlines()[0]}",
            remedy="Check HF_TOKEN and the name." if refused else "Try again later.",
        ) from fault
    except (OSError, HTTPError) as fault:
        raise TeacherError(
            f"The hub cannot be reached: {fault}.", remedy="Check the network and HF_ENDPOINT."
        ) from fault
    return str(done.commit_url)


def check_name(repo: str) -> None:
    """Raises UsageError unless a repository is named as the hub names them."""
    if not _REPO.fullmatch(repo):
        raise UsageError(f"{repo!r} is no repository of the hub.", remedy="Name it as OWNER/NAME.")


def _student(folder: Path, terms: Terms, say: Say, progress: Progress) -> Parcel:
    student = read_student(folder)
    dataset = Path(os.path.normpath(folder.resolve() / student.dataset))
    manifest = read_manifest(dataset)
    _may_be_handed_on(manifest, terms)
    licence = terms.licence or (manifest.licence if student.read_settings().base == LOCAL else "")
    _licence_for_all(licence, terms)
    write_whole(folder / CARD, card_of(folder, student, manifest, dataset, licence.lower()))
    weights = _weights(folder, student, say, progress)
    files = {CARD: folder / CARD} | {name: folder / name for name in EXTRAS if (folder / name).exists()}
    files |= {path.name: path for path in sorted(weights.iterdir()) if path.is_file() and path.name not in files}
    files |= {path.name: path for path in sorted((folder / "gguf").glob("*.gguf"))}
    return Parcel("model", files)


def _weights(folder: Path, student: StudentFile, say: Say, progress: Progress) -> Path:
    """The model, or of a base on the hub the adapter; an adapter whose base nobody else has is merged first."""
    settings = student.read_settings()
    if not settings.is_adapter:
        return folder / "model"
    if settings.base != LOCAL and not looks_like_path(settings.base):
        return folder / "adapter"
    return merge_student(folder, None, say, progress)


def _may_be_handed_on(manifest: Manifest, terms: Terms) -> None:
    """Raises InputError for a part whose licence forbids it, or of which nobody knows."""
    taken = {name: one.licence for name, one in manifest.mix.items() if one.taken}
    unknown = [name for name, licence in taken.items() if licence == "unknown"]
    if unknown:
        raise InputError(
            f"{manifest.name}: nobody knows the licence of {', '.join(unknown)}, so it may not be handed on.",
            remedy="Find it and write it into the recipe's mix, or leave the set out, and run again.",
        )
    derived = [f"{name} ({licence})" for name, licence in taken.items() if _forbids(licence, _NO_DERIVATIVES)]
    if derived:
        raise InputError(
            f"{manifest.name}: the licence of {', '.join(derived)} forbids handing on what is made of it.",
            remedy="Leave the set out of the recipe's mix and run again.",
        )
    barred = [f"{name} ({licence})" for name, licence in taken.items() if _forbids(licence, _NON_COMMERCIAL)]
    own = [f"the dataset ({manifest.licence})"] if _forbids(manifest.licence, _NON_COMMERCIAL) and not barred else []
    if (barred or own) and not terms.non_commercial:
        raise InputError(
            f"{manifest.name}: the licence of {', '.join(barred or own)} forbids whatever earns money.",
            remedy="If the repository earns nobody anything, say so with --non-commercial.",
        )


def _forbids(licence: str, word: re.Pattern[str]) -> bool:
    """Whether every licence that may be chosen has the word in it."""
    return bool(licence) and all(word.search(part) for part in re.split(r"\s+OR\s+", licence))


def _licence_for_all(licence: str, terms: Terms) -> None:
    if terms.public and not licence:
        raise InputError(
            "Nobody has decided under which licence everybody may use it.",
            remedy="Say `licence:` in the recipe and run again; for a student, --licence. Or push it without --public.",
        )
