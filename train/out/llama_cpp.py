"""llama.cpp's own tools, where somebody put them: its converter in an environment of its own, and its quantiser."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import InputError, UsageError
from train.progress import Say

CONVERTER = "convert_hf_to_gguf.py"
REQUIREMENTS = Path("requirements") / "requirements-convert_hf_to_gguf.txt"
ENVIRONMENT = "coursework-venv"
"""Beside the converter, for it needs an older transformers than training does."""
QUANTIZER = "llama-quantize"
HOW_TO_GET_IT = (
    "git clone https://github.com/ggml-org/llama.cpp, or `pip download --no-deps --no-binary llama-cpp-python "
    "llama-cpp-python` and unpack it: vendor/llama.cpp"
)
KNOWN_TOKENIZER = "PreTrainedTokenizerFast"
"""What the converter's transformers calls the class that ours saves as TokenizersBackend."""


def quantizer(folder: Path | None) -> Path | None:
    """llama-quantize in a checkout of llama.cpp, built or released, or on the PATH."""
    places = [folder, folder / "build" / "bin", folder / "bin"] if folder else []
    found = next((place / QUANTIZER for place in places if (place / QUANTIZER).is_file()), None)
    on_path = shutil.which(QUANTIZER)
    return found or (Path(on_path) if on_path else None)


def quantize(binary: Path, source: Path, target: Path, kind: str) -> None:
    """Has llama-quantize write `target` from an F16 file."""
    _run([str(binary), str(source), str(target), kind.upper()], f"{binary.name} {kind.upper()}")


def set_up(folder: Path, say: Say) -> None:
    """Makes the converter's environment and installs what llama.cpp pins for it; this downloads packages."""
    _need_converter(folder)
    home = folder / ENVIRONMENT
    say(f"installing the converter's own packages into {home} ...")
    _run([sys.executable, "-m", "venv", "--clear", str(home)], "python -m venv")
    _run([str(_python(folder)), "-m", "pip", "install", "--quiet", "-r", str(folder / REQUIREMENTS)], "pip install")


def convert(folder: Path, model: Path, target: Path, kind: str) -> None:
    """Has llama.cpp's converter write `target` from a folder of transformers, without the network.

    Raises UsageError if the converter or its environment is not there, InputError if it refuses the model.
    """
    _need_converter(folder)
    if not _python(folder).exists():
        raise UsageError(
            f"{folder} has no environment for its converter, which needs another transformers than training does.",
            remedy="Make it, packages downloaded, by the same command with --set-up.",
        )
    with tempfile.TemporaryDirectory() as place:
        staged = _staged(model, Path(place))
        command = [str(_python(folder)), str((folder / CONVERTER).resolve()), str(staged)]
        _run([*command, "--outfile", str(target.resolve()), "--outtype", kind], CONVERTER)


def _need_converter(folder: Path) -> None:
    if not (folder / CONVERTER).is_file():
        raise UsageError(f"{folder} holds no {CONVERTER}.", remedy=f"Name a checkout of llama.cpp: {HOW_TO_GET_IT}.")


def _python(folder: Path) -> Path:
    return (folder / ENVIRONMENT / "bin" / "python").absolute()


def _staged(model: Path, place: Path) -> Path:
    """The model as an older transformers reads it: the same files, but for what a newer one calls by another name."""
    for path in model.resolve().iterdir():
        if path.name != "tokenizer_config.json":
            (place / path.name).symlink_to(path)
    settings = json.loads((model / "tokenizer_config.json").read_text(encoding="utf-8"))
    if settings.get("tokenizer_class") in (None, "TokenizersBackend"):
        settings["tokenizer_class"] = KNOWN_TOKENIZER
    if isinstance(settings.get("extra_special_tokens"), list):
        settings["additional_special_tokens"] = settings.pop("extra_special_tokens")
    (place / "tokenizer_config.json").write_text(json.dumps(settings, ensure_ascii=False), encoding="utf-8")
    return place


def _run(command: Sequence[str], what: str) -> None:
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, errors="replace")
    except OSError as fault:
        raise UsageError(f"{what} cannot be run: {fault}.") from fault
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or [f"exit code {done.returncode}"]
        raise InputError(f"{what} failed: {lines[-1]}", remedy=f"It was run as: {' '.join(command)}")
