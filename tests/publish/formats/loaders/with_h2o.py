"""Loads an export with H2O LLM Studio's own code: with_h2o.py EXPORT TOKENIZER prints what it trains on."""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import llm_studio
from llm_studio.python_configs.text_causal_language_modeling_config import ConfigProblemBase
from llm_studio.src.utils.data_utils import load_train_valid_data

folder = Path(
    shutil.copytree(sys.argv[1], Path(tempfile.mkdtemp()) / "import")
)  # it writes a file beside each it reads
cfg = ConfigProblemBase()
cfg.llm_backbone = sys.argv[2]
cfg.dataset.train_dataframe = str(folder / "train.csv")
cfg.dataset.validation_strategy = "custom"
cfg.dataset.validation_dataframe = str(folder / "val.csv")
cfg.dataset.prompt_column = ("prompt",)
cfg.dataset.answer_column = "answer"
cfg.dataset.system_column = "None"
cfg.dataset.limit_chained_samples = True
cfg.dataset.only_last_answer = True
cfg.tokenizer.max_length = 2048
found = {}
for stem, table in zip(("train", "val"), load_train_valid_data(cfg), strict=True):
    rows = cfg.dataset.dataset_class(table, cfg)
    decode = rows.tokenizer.decode
    found[stem] = [
        {
            "text": decode(row["input_ids"][row["attention_mask"].bool()]),
            "trained": decode(row["labels"][row["labels"] >= 0]),
        }
        for row in (rows[place] for place in range(len(rows)))
    ]
pyproject = Path(llm_studio.__path__[0]).parent / "pyproject.toml"
version = pyproject.read_text(encoding="utf-8").split('version = "')[1].split('"')[0]
print("\n" + json.dumps({"version": version, "files": found}))
