"""The registry of formats: every way to hand a dataset to a trainer, by the name it is asked for with."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.publish.formats.axolotl import AXOLOTL
from pipeline.publish.formats.chat import MESSAGES, SHAREGPT, UNSLOTH
from pipeline.publish.formats.dpo import DPO
from pipeline.publish.formats.form import Format
from pipeline.publish.formats.instruct import ALPACA, LITGPT
from pipeline.publish.formats.llama_factory import LLAMA_FACTORY
from pipeline.publish.formats.openai import OPENAI
from pipeline.publish.formats.oumi import OUMI
from pipeline.publish.formats.tables import H2O_CSV, PARQUET_TABLE
from pipeline.publish.formats.tasks import INSPECT, LM_EVAL
from pipeline.publish.formats.trl import TRL

FORMATS: Mapping[str, Format] = {
    "trl": TRL,
    "messages": MESSAGES,
    "alpaca": ALPACA,
    "sharegpt": SHAREGPT,
    "llama-factory": LLAMA_FACTORY,
    "axolotl": AXOLOTL,
    "unsloth": UNSLOTH,
    "oumi": OUMI,
    "litgpt": LITGPT,
    "openai": OPENAI,
    "dpo": DPO,
    "h2o-csv": H2O_CSV,
    "parquet": PARQUET_TABLE,
    "lm-eval": LM_EVAL,
    "inspect": INSPECT,
}
