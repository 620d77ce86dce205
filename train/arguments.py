"""What the trainers are told: every argument whose default would be wrong here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from train.devices import rows_for_each
from train.fit import Fit
from train.methods import saves_memory, weights_of_model
from train.settings import StudentSettings
from train.students import gpu_bytes, has_gpu

LEAST_FOR_BFLOAT16 = 3_000_000
"""Weights below which converting costs a processor more than its units for bfloat16 save."""


def training_arguments(fit: Fit, wanted: StudentSettings, folder: Path, model: Any) -> Any:
    """The arguments of a training on answers."""
    from trl import SFTConfig

    return SFTConfig(**_shared(fit, wanted, folder, model), completion_only_loss=True, packing=False)


def preference_arguments(fit: Fit, wanted: StudentSettings, folder: Path, model: Any) -> Any:
    """The arguments of a training by preference."""
    from trl import DPOConfig

    return DPOConfig(**_shared(fit, wanted, folder, model), beta=wanted.beta)


def _shared(fit: Fit, wanted: StudentSettings, folder: Path, model: Any) -> dict[str, Any]:
    """The arguments of both, said out loud."""
    return {
        "output_dir": str(folder / wanted.place),
        "save_strategy": "no",  # what is saved is saved once, at the end, without the trainer's pickled arguments
        "use_cpu": not has_gpu(),
        "bf16": wanted.precision == "bfloat16" or (wanted.precision == "auto" and bfloat16_is_faster(model)),
        "activation_checkpointing": saves_memory(wanted, weights_of_model(model), gpu_bytes()),
        "max_length": fit.longest,  # chosen from the data: a row above it would be cut or dropped in silence
        "max_steps": wanted.steps_for(fit.rows),
        "per_device_train_batch_size": rows_for_each(wanted.batch),
        "learning_rate": wanted.learning_rate,
        "lr_scheduler_type": wanted.schedule if wanted.schedule != "constant" else "constant_with_warmup",
        "warmup_steps": wanted.warmup,
        "weight_decay": wanted.weight_decay,
        "seed": wanted.seed,
        "ddp_find_unused_parameters": False,  # all that is trained has a say in every loss
        "logging_steps": 0.02,  # of all steps, so that a short training has a loss curve as well
        "logging_nan_inf_filter": False,  # a loss that is no number is to be seen
        "report_to": "none",
        "disable_tqdm": True,
    }


def bfloat16_is_faster(model: Any) -> bool:
    """On a GPU that has it always; on a processor that has units for it, from a size on. A rule and not a stopwatch, so
    that the same training on the same machine has the same precision (docs/lab-log.md for the size)."""
    import torch

    if has_gpu():
        return bool(torch.cuda.is_bf16_supported())
    return has_bfloat16_units() and sum(weight.numel() for weight in model.parameters()) >= LEAST_FOR_BFLOAT16


def has_bfloat16_units() -> bool:
    """Whether the processor computes with bfloat16 by itself; one that imitates it takes ten times as long."""
    import torch

    return any(torch.cpu.get_capabilities().get(name) for name in ("avx512_bf16", "amx_bf16", "sve_bf16"))
