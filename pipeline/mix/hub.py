"""Rows of a dataset on the Hugging Face hub, streamed: nothing of it is kept on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.errors import CourseworkError, InputError, TryAgainLater
from pipeline.mix.files import Numbered
from pipeline.mix.settings import ImportedSet


def rows_of_hub(wanted: ImportedSet, folder: Path, revision: str) -> Iterator[Numbered]:
    """The rows of one split, numbered from 1. `folder` is the recipe's: a folder of that name in it goes first.

    Raises InputError if there is no such dataset, TryAgainLater if the hub cannot be reached or falls silent.
    """
    datasets = _datasets(wanted.hub)
    with _blaming(wanted.hub):
        rows = datasets.load_dataset(
            _place(wanted, folder), wanted.config or None, split=wanted.split, revision=revision or None, streaming=True
        )
        yield from enumerate(rows, 1)


def revision_of(wanted: ImportedSet, folder: Path) -> str:
    """The commit that is read: what the recipe names, else today's; empty for a folder on this machine.

    Raises as `rows_of_hub` does.
    """
    if (folder / wanted.hub).is_dir():
        return ""
    _datasets(wanted.hub)
    from huggingface_hub import HfApi

    with _blaming(wanted.hub):
        return HfApi().dataset_info(wanted.hub, revision=wanted.revision or None).sha or wanted.revision


def _place(wanted: ImportedSet, folder: Path) -> str:
    return str(folder / wanted.hub) if (folder / wanted.hub).is_dir() else wanted.hub


def _datasets(name: str) -> Any:
    try:
        import datasets
    except ImportError:
        raise InputError(
            f"{name}: datasets of the hub are read with the package datasets, which is not installed.",
            remedy="Install the extra: pip install 'coursework[mix]'.",
        ) from None
    datasets.disable_progress_bars()
    datasets.utils.logging.set_verbosity_error()
    return datasets


@contextmanager
def _blaming(name: str) -> Iterator[None]:
    """What the libraries raise, said in one line. They raise errors of a dozen families, so they are told by name."""
    try:
        yield
    except (CourseworkError, GeneratorExit, MemoryError):
        raise
    except Exception as fault:
        said = next((line.strip() for line in str(fault).splitlines() if line.strip()), type(fault).__name__)
        families = {kind.__name__ for kind in type(fault).__mro__}
        behind = {kind.__name__ for one in _chain(fault) for kind in type(one).__mro__}
        if families & _MISSING:
            raise InputError(
                f"{name}: the hub has no such dataset, or not for everyone: {said}",
                remedy="Mind its spelling, accept its terms on its page, or set HF_TOKEN.",
            ) from fault
        if families & _UNREACHED or behind & _UNREACHED_BEHIND:
            raise TryAgainLater(
                f"{name}: the hub cannot be reached: {said}",
                remedy="Run again when it can, or download the dataset and name its files.",
            ) from fault
        raise InputError(
            f"{name}: cannot be read: {said}", remedy="See its page for its configs and splits."
        ) from fault


def _chain(fault: BaseException) -> Iterator[BaseException]:
    """An error and those that it was raised from, or while."""
    known: BaseException | None = fault
    while known is not None:
        yield known
        known = known.__cause__ or known.__context__


# Names of errors of datasets, huggingface_hub and httpx, and of what these derive from.
_MISSING = frozenset("DatasetNotFoundError RepositoryNotFoundError RevisionNotFoundError HFValidationError".split())
_UNREACHED = frozenset("ConnectionError OfflineModeIsEnabled TimeoutError HTTPError HfHubHTTPError".split())
_UNREACHED_BEHIND = frozenset({"LocalEntryNotFoundError", "OfflineModeIsEnabled"})
"""Behind what datasets tells as a file that is not there: it was looked for on the hub, in vain."""
