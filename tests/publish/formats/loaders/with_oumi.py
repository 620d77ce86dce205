"""Loads an export with oumi's own builders: with_oumi.py EXPORT TOKENIZER prints what it trains on."""

import json
import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

os.environ["DO_NOT_TRACK"] = "1"

import yaml
from oumi.builders.collators import build_collator_from_config
from oumi.builders.data import build_dataset_mixture
from oumi.core.configs import DatasetSplit, TrainingConfig
from transformers import AutoTokenizer

folder, model = Path(sys.argv[1]), sys.argv[2]
settings = yaml.safe_load((folder / "sft.yaml").read_text(encoding="utf-8"))
settings["model"] = {"model_name": model, "model_max_length": 4096}
merged = Path(tempfile.mkdtemp()) / "config.yaml"
merged.write_text(yaml.safe_dump(settings), encoding="utf-8")
os.chdir(folder)
config = TrainingConfig.from_yaml(str(merged))
tokenizer = AutoTokenizer.from_pretrained(model)
collate = build_collator_from_config(config, tokenizer)


def shown(row):
    batch = collate([row])
    labels = batch["labels"][0]
    return {"text": tokenizer.decode(batch["input_ids"][0]), "trained": tokenizer.decode(labels[labels >= 0])}


files = {"train": build_dataset_mixture(config.data, tokenizer, DatasetSplit.TRAIN)}
if "validation" in settings["data"]:
    files["validation"] = build_dataset_mixture(config.data, tokenizer, DatasetSplit.VALIDATION)
found = {stem: [shown(row) for row in rows] for stem, rows in files.items()}
print("\n" + json.dumps({"version": version("oumi"), "files": found}))
