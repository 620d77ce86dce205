"""Loads an export with LitGPT's own data module: with_litgpt.py EXPORT TOKENIZER prints what it trains on."""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import yaml
from litgpt.data import JSON
from litgpt.tokenizer import Tokenizer

folder, tokenizer = Path(sys.argv[1]), Tokenizer(Path(sys.argv[2]))
settings = yaml.safe_load((folder / "litgpt.yaml").read_text(encoding="utf-8"))["data"]["init_args"]
data = JSON(**settings | {"json_path": folder / settings["json_path"]})
data.connect(tokenizer)
data.setup()
found = {}
for stem, rows in (("train", data.train_dataset), ("val", data.test_dataset)):
    found[stem] = [
        {"text": tokenizer.decode(row["input_ids"]), "trained": tokenizer.decode(row["labels"][row["labels"] >= 0])}
        for row in rows
    ]
print(json.dumps({"version": version("litgpt"), "files": found}))
