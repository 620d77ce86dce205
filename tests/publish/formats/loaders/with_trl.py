"""Loads an export with TRL's command and trainer: with_trl.py EXPORT TOKENIZER prints what it trains on."""

import json
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from datasets import load_dataset
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from trl import ModelConfig, ScriptArguments, SFTConfig, SFTTrainer, TrlParser

folder, model, scratch = Path(sys.argv[1]), sys.argv[2], tempfile.mkdtemp()
command = ["--dataset_name", str(folder), "--model_name_or_path", model, "--output_dir", scratch, "--use_cpu", "true"]
command += ["--bf16", "false", "--report_to", "none"]
if (folder / "sft.yaml").is_file():
    command += ["--config", str(folder / "sft.yaml")]
script, settings, _ = TrlParser((ScriptArguments, SFTConfig, ModelConfig)).parse_args_and_config(command)
splits = load_dataset(script.dataset_name, cache_dir=scratch)
tokenizer = AutoTokenizer.from_pretrained(model)
trainer = SFTTrainer(
    model=AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(model)),
    args=settings,
    train_dataset=splits[script.dataset_train_split],
    eval_dataset={stem: rows for stem, rows in splits.items() if stem != script.dataset_train_split},
    processing_class=tokenizer,
)
found = {}
for stem, rows in {"train": trainer.train_dataset, **trainer.eval_dataset}.items():
    found[stem] = []
    for row in rows:
        trained = [label for label in row["labels"] if label >= 0]
        found[stem].append({"text": tokenizer.decode(row["input_ids"]), "trained": tokenizer.decode(trained)})
print("\n" + json.dumps({"version": version("trl"), "files": found, "validation": script.dataset_test_split}))
