"""Loads an export with unsloth's own functions: with_unsloth.py EXPORT TOKENIZER prints what it trains on."""

import json
import os
import sys
import tempfile
from importlib.metadata import version

os.environ |= {"UNSLOTH_FORCE_CPU": "1", "UNSLOTH_DISABLE_STATISTICS": "1"}

from unsloth.chat_templates import standardize_data_formats, train_on_responses_only  # isort: skip
from datasets import load_dataset
from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(sys.argv[2])
mask = train_on_responses_only(
    None,
    instruction_part="<|im_start|>user\n",
    response_part="<|im_start|>assistant\n",
    tokenizer=tokenizer,
    return_function=True,
    last_response_only=True,
)
found = {}
for stem, rows in load_dataset(sys.argv[1], cache_dir=tempfile.mkdtemp()).items():
    found[stem] = []
    for row in standardize_data_formats(rows):
        text = tokenizer.apply_chat_template(row["conversations"], tokenize=False)
        ids = tokenizer(text)["input_ids"]
        (labels,) = mask({"input_ids": [ids]})["labels"]
        trained = tokenizer.decode([label for label in labels if label >= 0])
        found[stem].append({"text": text, "trained": trained})
print("\n" + json.dumps({"version": version("unsloth"), "files": found}))
