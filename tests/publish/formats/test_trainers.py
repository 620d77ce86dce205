"""Each export is loaded with the code of the trainer it is for, which reads every row and trains its answer.

A trainer is looked for in the folder that COURSEWORK_TRAINERS names, as NAME/bin/python, and else beside this Python
(docs/formats.md says how they were installed). Where it is not, its test is skipped.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from pipeline.exporting import export
from tests.publish.formats.making import EVERY_SHAPE, talk, write_dataset

LOADERS = Path(__file__).parent / "loaders"
MODULES = {"trl": "trl", "llama-factory": "llamafactory", "axolotl": "axolotl", "oumi": "oumi", "litgpt": "litgpt"}
MODULES |= {"unsloth": "unsloth", "h2o": "llm_studio"}
VALIDATED = [*EVERY_SHAPE["rephrased"], *EVERY_SHAPE["off_topic"]]
SLICES = {stem: EVERY_SHAPE[stem] for stem in ("rephrased", "unseen", "off_topic")}
WITHOUT_DIALOGUE = [row for row in EVERY_SHAPE["train"] if not row.earlier]
NAMED = {"rivers_rephrased": EVERY_SHAPE["rephrased"], "rivers_off_topic": EVERY_SHAPE["off_topic"]}
CASES = {
    "trl": ("trl", EVERY_SHAPE["train"], SLICES),
    "messages": ("trl", EVERY_SHAPE["train"], SLICES),
    "llama-factory": ("llama-factory", EVERY_SHAPE["train"], NAMED),
    "axolotl": ("axolotl", EVERY_SHAPE["train"], {"test": VALIDATED}),
    "oumi": ("oumi", EVERY_SHAPE["train"], {"validation": VALIDATED}),
    "unsloth": ("unsloth", EVERY_SHAPE["train"], SLICES),
    "sharegpt": ("unsloth", EVERY_SHAPE["train"], SLICES),
    "litgpt": ("litgpt", WITHOUT_DIALOGUE, {"val": VALIDATED}),
    "h2o-csv": ("h2o", EVERY_SHAPE["train"], {"val": VALIDATED}),
}
"""Of each format: who loads it, what there is to train, and what it takes for validation."""
EVERYTHING_IS_TRAINED = {"messages"}
"""Nothing in the format says which words are to be learned: that is for whoever reads it."""


def python_of(trainer: str) -> str:
    own = Path(os.environ.get("COURSEWORK_TRAINERS", "/nowhere")) / trainer / "bin" / "python"
    if own.is_file():
        return str(own)
    if find_spec(MODULES[trainer]):
        return sys.executable
    pytest.skip(f"{trainer} is not installed; docs/formats.md says how it was")


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """A folder with a tokenizer of single bytes and a ChatML template, and the shape of a model without weights."""
    tokenizers = pytest.importorskip("tokenizers")
    folder = tmp_path_factory.mktemp("model")
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    bytewise = tokenizers.Tokenizer(tokenizers.models.BPE({sign: place for place, sign in enumerate(alphabet)}, []))
    bytewise.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    bytewise.decoder = tokenizers.decoders.ByteLevel()
    bytewise.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    bytewise.save(str(folder / "tokenizer.json"))
    template = (
        "{% for each in messages %}<|im_start|>{{ each['role'] }}\n{{ each['content'] }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    settings = {
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>",
            "model_max_length": 4096, "chat_template": template,
        },
        "generation_config.json": {"eos_token_id": 258, "pad_token_id": 256},
        "config.json": {
            "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 16, "intermediate_size": 16,
            "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2, "vocab_size": 259,
            "max_position_embeddings": 4096,
        },
    }  # fmt: skip
    for name, content in settings.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_the_trainers_own_loader_reads_every_row_and_trains_its_answer_alone(name, model, tmp_path):
    trainer, train, held_out = CASES[name]
    python = python_of(trainer)
    folder = export(write_dataset(tmp_path / "dataset", EVERY_SHAPE), name, None, lambda _: None)
    done = subprocess.run(
        [python, str(LOADERS / f"with_{trainer.replace('-', '_')}.py"), str(folder), str(model)],
        env=os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home")},
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    print(trainer, found["version"])
    assert found["files"].keys() == {"train", *held_out}
    for stem, rows in {"train": train, **held_out}.items():
        seen = found["files"][stem]
        assert len(seen) == len(rows)
        for row in rows:
            assert any(matches(name, row, each) for each in seen), row


def matches(name, row, seen) -> bool:
    """All that is said stands there in its order, and what is trained is the row's answer with the end of it."""
    place = 0
    for text in [row.question, row.context, row.answer] if name == "litgpt" else [text for _, text in talk(row)]:
        place = seen["text"].find(text, place)
        if place < 0:
            return False
        place += len(text)
    trained = seen["trained"].replace("<|im_end|>", "").strip()
    return row.answer in trained if name in EVERYTHING_IS_TRAINED else trained == row.answer.strip()
