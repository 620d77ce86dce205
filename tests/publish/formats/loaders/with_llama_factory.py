"""Loads an export with LLaMA-Factory's own loader: with_llama_factory.py EXPORT TOKENIZER prints what it trains on."""

import json
import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

os.environ["DISABLE_VERSION_CHECK"] = "1"

import yaml
from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
from llamafactory.hparams import get_train_args
from llamafactory.model import load_tokenizer

folder, model = Path(sys.argv[1]), sys.argv[2]
settings = yaml.safe_load((folder / "sft.yaml").read_text(encoding="utf-8"))
mine = {
    "model_name_or_path": model, "template": "chatml", "output_dir": tempfile.mkdtemp(), "do_train": True,
    "use_cpu": True, "bf16": False, "report_to": "none", "finetuning_type": "lora", "cache_dir": tempfile.mkdtemp(),
}  # fmt: skip
os.chdir(folder)
sys.stdout = sys.stderr  # LLaMA-Factory prints an example
models, data, training, finetuning, _ = get_train_args({**settings, **mine})
loaded = load_tokenizer(models)
tokenizer = loaded["tokenizer"]
template = get_template_and_fix_tokenizer(tokenizer, data)
module = get_dataset(template, models, data, training, stage=finetuning.stage, **loaded)
files = {"train": module["train_dataset"]}
evaluated = module.get("eval_dataset") or {}
files |= evaluated if isinstance(evaluated, dict) else {data.eval_dataset[0]: evaluated}
found = {
    stem: [
        {
            "text": tokenizer.decode(row["input_ids"]),
            "trained": tokenizer.decode([label for label in row["labels"] if label >= 0]),
        }
        for row in rows
    ]
    for stem, rows in files.items()
}
print(json.dumps({"version": version("llamafactory"), "files": found}), file=sys.__stdout__)
