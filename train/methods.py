"""Which weights a method trains: freezing, adapters, quantisation, and how many that leaves."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, NamedTuple

from pipeline.errors import RecipeError, UsageError
from train.settings import LoraSettings, StudentSettings


class Weights(NamedTuple):
    """How many weights a model has, and how many of them training moves."""

    trainable: int
    total: int

    def __str__(self) -> str:
        share = 100 * self.trainable / self.total
        return f"{self.trainable:,} of {self.total:,} weights are trained ({share:.2f} %)."


def weights_of_model(model: Any) -> Weights:
    """The weights of a model as it will be trained; a tied weight counts once, one of four bits as one."""
    trainable = total = 0
    for weight in model.parameters():
        # bitsandbytes packs two weights into each byte of its storage.
        number = weight.numel() * (2 * weight.element_size() if type(weight).__name__ == "Params4bit" else 1)
        total += number
        trainable += number if weight.requires_grad else 0
    return Weights(trainable, total)


def freeze(model: Any, last_layers: int) -> None:
    """Leaves only the last layers, what follows them, and the head to be trained."""
    from torch import nn

    layers = _layers_of(model)
    if last_layers > len(layers):
        raise RecipeError(
            f"student.last_layers: the base has {len(layers)} layers, {last_layers} cannot be the last of them.",
            remedy=f"Say {len(layers)} or fewer.",
        )
    held = [module for module in model.modules() if isinstance(module, nn.Embedding)]
    held += layers[: len(layers) - last_layers]
    for module in held:
        module.requires_grad_(False)
    # In many models the head is the embedding; then that one is trained with it.
    model.get_output_embeddings().requires_grad_(True)


def _layers_of(model: Any) -> list[Any]:
    """The stack of equal layers, whatever the architecture calls it."""
    from torch import nn

    stacks = [module for module in model.modules() if isinstance(module, nn.ModuleList)]
    return list(max(stacks, key=len, default=()))


def adapter_for(lora: LoraSettings, model: Any) -> Any:
    """The adapter's configuration. Raises RecipeError for a layer the model does not have: peft would
    leave a name it does not find untrained, and say nothing."""
    from peft import LoraConfig

    _layers_are_there(lora, model)
    tied = is_tied(model)
    if lora.untie_head and not tied:
        raise RecipeError(
            "student.lora.untie_head: the base's head has weights of its own already.",
            remedy="Leave untie_head out, and name the head under also_train.",
        )
    whole = [*lora.also_train, *([head_of(model)] if lora.untie_head else ())]
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.targets,
        use_rslora=lora.rslora,
        use_dora=lora.dora,
        modules_to_save=sorted(set(whole)) or None,
        # A head that is the embedding stays so when it is trained whole, or parts from it because that was asked for;
        # left to itself, peft saves two copies of which only one was trained.
        ensure_weight_tying=tied and bool(whole) and not lora.untie_head,
    )


def _layers_are_there(lora: LoraSettings, model: Any) -> None:
    layers = {name.rpartition(".")[2] for name, _ in model.named_modules()} - {""}
    for field, names in (("targets", lora.targets), ("also_train", lora.also_train)):
        for name in names if isinstance(names, list) else ():
            if name not in layers:
                known = ", ".join(sorted(layer for layer in layers if not layer.isdigit()))
                raise RecipeError(
                    f"student.lora.{field}: the base has no layer named {name}, it would be left untrained in silence.",
                    remedy=f"Its layers are {known}.",
                )


def is_tied(model: Any) -> bool:
    """Whether the head's weights are the embedding's."""
    head = model.get_output_embeddings()
    return head is not None and head.weight is model.get_input_embeddings().weight


def head_of(model: Any) -> str:
    """The name of the head's layer."""
    head = model.get_output_embeddings()
    return next(str(name).rpartition(".")[2] for name, module in model.named_modules() if module is head)


def four_bits(gpu: bool) -> Any:
    """How a base is quantised for qlora. Raises UsageError where that cannot be."""
    if not gpu:
        raise UsageError(
            "method qlora needs a GPU, and torch sees none here.", remedy="Use method: lora, or a machine with a GPU."
        )
    if find_spec("bitsandbytes") is None:
        raise UsageError(
            "method qlora needs bitsandbytes, which is not installed.",
            remedy='Install it with: pip install "coursework[qlora]"',
        )
    import torch
    from transformers import BitsAndBytesConfig

    # As in the paper: normal floats of four bits, their scales quantised too, arithmetic in bfloat16.
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def saves_memory(settings: StudentSettings, weights: Weights, gpu_bytes: int | None) -> bool:
    """Whether activations are computed twice instead of kept. On a processor memory is not what a small student
    lacks, and it costs a quarter of the speed; on a GPU it is worth it once weights, gradients and AdamW's two
    moments take half the memory."""
    if settings.checkpointing != "auto":
        return settings.checkpointing == "on"
    if gpu_bytes is None:
        return False
    return 16 * weights.trainable + 4 * (weights.total - weights.trainable) > gpu_bytes / 2
