"""Loads an export with axolotl's own loader: with_axolotl.py EXPORT TOKENIZER prints what it trains on."""

import json
import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

os.environ |= {"AXOLOTL_DO_NOT_TRACK": "1", "DO_NOT_TRACK": "1", "TRL_EXPERIMENTAL_SILENCE": "1"}

import yaml
from axolotl.cli.config import load_cfg
from axolotl.loaders import load_tokenizer
from axolotl.utils.data import prepare_datasets


def main():
    folder, model = Path(sys.argv[1]), sys.argv[2]
    settings = yaml.safe_load((folder / "sft.yaml").read_text(encoding="utf-8"))
    scratch = tempfile.mkdtemp()
    settings |= {
        "base_model": model, "output_dir": scratch, "dataset_prepared_path": f"{scratch}/prepared", "bf16": False,
        "tf32": False, "sequence_len": 4096, "micro_batch_size": 1, "num_epochs": 1, "learning_rate": 1e-4,
        "dataset_num_proc": 1,
    }  # fmt: skip
    merged = Path(scratch) / "config.yaml"
    merged.write_text(yaml.safe_dump(settings), encoding="utf-8")
    os.chdir(folder)
    cfg = load_cfg(str(merged))
    tokenizer = load_tokenizer(cfg)
    train, evaluated, _, _ = prepare_datasets(cfg, tokenizer)
    found = {
        stem: [
            {
                "text": tokenizer.decode(row["input_ids"]),
                "trained": tokenizer.decode([label for label in row["labels"] if label >= 0]),
            }
            for row in rows
        ]
        for stem, rows in (("train", train), ("test", evaluated or []))
    }
    print("\n" + json.dumps({"version": version("axolotl"), "files": found}))


if __name__ == "__main__":  # it maps with processes that read this file again
    main()
