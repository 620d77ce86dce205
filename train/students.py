"""Makes a small student from random weights, or opens one that exists."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipeline.errors import CourseworkError, InputError, UsageError
from pipeline.publish.schema import PromptFormat
from train.methods import four_bits
from train.rendering import Rendering, pin_template, rendering_for
from train.settings import StudentSettings

END, PAD = "<|endoftext|>", "<|pad|>"
LOCAL_CONTEXT = 2048
"""Tokens a local student may hold; its positions are rotary, so that room costs no weights."""
STACK = ("torch", "transformers", "trl", "peft", "datasets")
ANSWERING = ("torch", "transformers", "peft")


@dataclass(frozen=True)
class Student:
    """A model with its tokenizer, ready to train or to answer."""

    model: Any
    tokenizer: Any
    rendering: Rendering | None = None
    """In what form it is asked; only a model that nobody asks anything has none."""

    def prompt_of(self, question: str, context: str = "", earlier: Sequence[str] = ()) -> str:
        """The text that the student is given for a question; `earlier` holds questions and answers in turn."""
        return self.asked.prompt_of(self.tokenizer, question, context, earlier)

    def encode(self, prompt: str) -> list[int]:
        """A prompt's tokens, just as they stood in training."""
        return self.asked.encode(self.tokenizer, prompt)

    @property
    def asked(self) -> Rendering:
        """The rendering of a student that is asked something."""
        if self.rendering is None:
            raise CourseworkError("A model was asked something, and nobody said in what form.")
        return self.rendering

    @property
    def context(self) -> int:
        """The most tokens that prompt and answer may have together."""
        return int(getattr(self.model.config, "max_position_embeddings", None) or self.tokenizer.model_max_length)

    @property
    def stops_on(self) -> frozenset[int]:
        """The tokens on which every runtime that reads the student's folder ends an answer."""
        ids = self.model.generation_config.eos_token_id
        return frozenset(ids if isinstance(ids, list) else [ids] if ids is not None else [])


def need_training_stack() -> None:
    """Raises UsageError unless the packages of the training stage are there; if they are, sets them up."""
    _need(STACK)
    import datasets

    datasets.disable_progress_bars()


def need_answering_stack() -> None:
    """The same for whoever asks a student and trains none."""
    _need(ANSWERING)


def _need(stack: Sequence[str]) -> None:
    """Before the first of them is imported: telemetry is refused, for nobody asked for it, and threads
    that wait for each other sleep instead of spinning. On a machine with other work the spinning costs
    fifteen times the training itself (docs/lab-log.md).
    """
    missing = [name for name in stack if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"Training, examination and chat need {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} "
            "not installed.",
            remedy='Install them with: pip install "coursework[train]"',
        )
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import huggingface_hub
    import transformers

    huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY = True
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    # Raised by trl and peft against transformers; whoever trains can do nothing about it.
    warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated", category=FutureWarning)
    # Raised by peft where a head parts from its embedding (lora.untie_head); that its merge is right is tested.
    warnings.filterwarnings("ignore", message="Model has `tie_word_embeddings=True`", category=UserWarning)


def has_gpu() -> bool:
    """Whether torch sees a CUDA device; other accelerators are left alone, for nothing here was tried on them."""
    import torch

    return bool(torch.cuda.is_available())


def gpu_bytes() -> int | None:
    """The memory of the GPU, or None without one."""
    import torch

    return int(torch.cuda.get_device_properties(0).total_memory) if has_gpu() else None


def make_student(settings: StudentSettings, texts: Iterable[str], folder: Path) -> Student:
    """A Llama of random weights with a byte-level tokenizer trained on `texts`, saved in `folder`.

    The same settings and texts give the same bytes. Its base is saved as well because the examination
    asks it the same questions as the student.
    """
    from transformers import LlamaConfig, LlamaForCausalLM, set_seed

    tokenizer = _train_tokenizer(settings.vocabulary, texts)
    set_seed(settings.seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=settings.hidden,
        intermediate_size=3 * settings.hidden,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        num_key_value_heads=settings.heads,
        max_position_embeddings=LOCAL_CONTEXT,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    student = Student(LlamaForCausalLM(config), tokenizer)
    save_student(student, folder)
    return student


def save_student(student: Student, folder: Path, state: dict[str, Any] | None = None) -> None:
    """Writes model and tokenizer so that `from_pretrained(folder)` reads them, with the weights of `state` if given."""
    student.model.save_pretrained(folder, state_dict=state)
    student.tokenizer.save_pretrained(folder)


def save_adapter(student: Student, folder: Path, base: str, state: dict[str, Any] | None = None) -> None:
    """Writes the adapter alone, with the name of the base it belongs to, and the tokenizer."""
    for adapter in student.model.peft_config.values():
        adapter.base_model_name_or_path = base
    # Left to itself, peft asks the hub whether the base's vocabulary has changed; here it never does.
    student.model.save_pretrained(folder, save_embedding_layers=False, state_dict=state)
    (folder / "README.md").unlink(missing_ok=True)  # a form with nothing filled in; student.json says it all
    student.tokenizer.save_pretrained(folder)


def open_base(settings: StudentSettings, prompts: PromptFormat, place: str = "", revision: str = "") -> Student:
    """The base that the settings name, ready to be taught and asked in the dataset's form.

    `place` is where a local base was saved, `revision` the commit that an earlier training found.
    """
    quantised = four_bits(has_gpu()) if settings.method == "qlora" else None
    student = open_student(place or settings.base, settings.revision or revision or None, quantised=quantised)
    return taught_as(student, settings, prompts)


def taught_as(student: Student, settings: StudentSettings, prompts: PromptFormat) -> Student:
    """The student with the rendering and the end-of-text that its settings ask for.

    Both go into its tokenizer and its rules of generation, so they are saved and every runtime reads them.
    """
    if settings.end_of_text:
        _end_on(student, settings.end_of_text)
    return replace(student, rendering=rendering_for(student.tokenizer, prompts, settings.form, settings.system))


def _end_on(student: Student, token: str) -> None:
    """Makes `token` the end of every answer; what generation stopped on before, it still stops on."""
    number = student.tokenizer.get_vocab().get(token)
    if number is None:
        raise InputError(
            f"student.end_of_text: the base's tokenizer has no token {token!r}.",
            remedy=f"Its special tokens are {', '.join(student.tokenizer.all_special_tokens)}.",
        )
    student.tokenizer.eos_token = token
    student.model.generation_config.eos_token_id = [number, *sorted(student.stops_on - {number})]
    student.model.config.eos_token_id = number


def open_student(base: str, revision: str | None = None, adapter: Path | None = None, quantised: Any = None) -> Student:
    """A model from a folder or the hub, in float32 or quantised, with its adapter if one is named.

    Raises InputError if it cannot be opened, has no end-of-text token, or is not ready to be padded.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    place = str(place_of(base)) if looks_like_path(base) else base
    if looks_like_path(base) and not Path(place).is_dir():
        raise InputError(
            f"base {base}: no such folder.", remedy="Name a folder with a model in it, or a name on the hub."
        )
    try:
        tokenizer = AutoTokenizer.from_pretrained(adapter or place, revision=None if adapter else revision)
        model = AutoModelForCausalLM.from_pretrained(
            place,
            revision=revision,
            dtype=torch.bfloat16 if quantised else torch.float32,
            quantization_config=quantised,
        )
    except (OSError, ValueError) as fault:
        raise InputError(
            f"base {base}: cannot be opened: {_first_line(fault)}",
            remedy="Check the name, the network and HF_TOKEN, or name a folder that holds a transformers model.",
        ) from fault
    if adapter is not None:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, str(adapter))
    return Student(model, _ready(tokenizer, model, base))


def looks_like_path(base: str) -> bool:
    """Whether a base is meant as a folder; a hub name has at most one slash and does not exist here."""
    return base.startswith((".", "/", "~")) or Path(base).exists()


def place_of(base: str) -> Path:
    """The folder that a base's model lies in: of a trained student the whole model in its own folder.

    Raises InputError for a student whose adapter was never merged, for nothing whole is there to go on from.
    """
    folder = Path(base).expanduser()
    if not (folder / "student.json").exists():
        return folder
    for inner in ("model", "merged"):
        if (folder / inner).is_dir():
            return folder / inner
    raise InputError(
        f"base {base}: is a student that is an adapter beside its own base.",
        remedy=f"Make one model of the two with `coursework merge {base}`.",
    )


def _train_tokenizer(vocabulary: int, texts: Iterable[str]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=END, pad_token=PAD, model_max_length=LOCAL_CONTEXT
    )


def _ready(tokenizer: Any, model: Any, base: str) -> Any:
    """The tokenizer with a pad token and a template that knows no date, and a model that knows what it stops on."""
    pin_template(tokenizer)
    if tokenizer.eos_token_id is None:
        raise InputError(
            f"base {base}: its tokenizer has no end-of-text token, so nothing could teach it to stop.",
            remedy="Choose another base, or set eos_token in its tokenizer_config.json.",
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token  # padding is masked by position, the end of a row stays in the loss
    if model.generation_config.eos_token_id is None:
        model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    return tokenizer


def _first_line(fault: Exception) -> str:
    return str(fault).strip().split("\n", 1)[0]
