"""What each method trains: the counts of the literature, the frozen layers, and the head that is the embedding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import RecipeError, UsageError
from tests.train.made_up_course import silent
from train.fit_report import report_on
from train.methods import Weights, adapter_for, four_bits, freeze, is_tied, saves_memory, weights_of_model
from train.presets import presets, student_named
from train.settings import LoraSettings, StudentSettings, settings_of
from train.sft import train_student
from train.student_json import open_trained, read_student
from train.students import open_student

pytest.importorskip("trl", reason="the training stage needs coursework[train]")
ON_Q_AND_V = {"rank": 8, "alpha": 16, "targets": ["q_proj", "v_proj"]}


@pytest.mark.parametrize(
    ("also", "trained", "share"),
    [
        ({"also_train": ["lm_head"]}, 26_525_696, "7.42 %"),
        ({"untie_head": True}, 26_525_696, "7.42 %"),
        ({}, 786_432, "0.24 %"),
    ],
)
def test_opt_350m_trains_as_many_weights_as_the_literature_says(also: dict[str, Any], trained: int, share: str) -> None:
    from peft import get_peft_model

    model = opt_350m()
    weights = weights_of_model(
        get_peft_model(model, adapter_for(LoraSettings.model_validate(ON_Q_AND_V | also), model))
    )
    assert weights.trainable == trained
    assert share in str(weights)


def test_opt_350m_on_all_its_linear_layers() -> None:
    from peft import get_peft_model

    model = opt_350m()
    every = LoraSettings(rank=16, targets=["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"])
    assert weights_of_model(get_peft_model(model, adapter_for(every, model))).trainable == 7_077_888


def test_pythia_70m_has_its_weights() -> None:
    from transformers import GPTNeoXConfig

    config = GPTNeoXConfig(
        vocab_size=50304, hidden_size=512, num_hidden_layers=6, num_attention_heads=8, intermediate_size=2048
    )
    assert weights_of_model(weightless(config)) == (70_426_624, 70_426_624)


def test_the_weights_are_told_before_training(dataset: Path, architectures: dict[str, Path], tmp_path: Path) -> None:
    told: list[str] = []
    section = {"base": str(architectures["llama"]), "method": "lora", "steps": 1, "lora": ON_Q_AND_V}
    home = train_student(dataset, section, tmp_path, False, told.append)
    weights = read_student(home).parameters
    assert any(f"{weights.trainable:,} of {weights.total:,} weights are trained" in line for line in told)


@pytest.mark.parametrize("name", ["llama", "neox", "opt"])
def test_the_last_layers_and_the_head_learn_and_the_rest_stays(
    dataset: Path, architectures: dict[str, Path], tmp_path: Path, name: str
) -> None:
    section = {"base": str(architectures[name]), "method": "last-layers", "last_layers": 1, "steps": 2}
    home = train_student(dataset, {**section, "name": "last", "learning_rate": 1e-2}, tmp_path, False, silent)
    before = dict(open_student(str(architectures[name])).model.named_parameters())
    moved = {key for key, now in open_trained(home).model.named_parameters() if not now.equal(before[key])}
    assert any(".2." in key for key in moved)
    assert not any(".0." in key or ".1." in key for key in moved)
    head = open_student(str(architectures[name])).model
    names = {"lm_head.weight"} if not is_tied(head) else {"model.decoder.embed_tokens.weight"}
    assert names <= moved
    assert read_student(home).parameters.trainable < read_student(home).parameters.total


def test_more_last_layers_than_there_are_is_refused(architectures: dict[str, Path]) -> None:
    with pytest.raises(RecipeError, match="the base has 3 layers"):
        freeze(open_student(str(architectures["llama"])).model, 4)


def test_an_adapter_on_a_tied_head_is_refused_and_the_untied_full_save_offered() -> None:
    with pytest.raises(ValueError, match=r"merge into a wrong model.*untie_head: true"):
        LoraSettings(targets=["lm_head"])


@pytest.mark.parametrize("also", [{"untie_head": True}, {"also_train": ["lm_head"]}])
def test_a_tied_head_trained_whole_merges_into_the_student(
    dataset: Path, architectures: dict[str, Path], tmp_path: Path, also: dict[str, Any]
) -> None:
    import torch

    base = open_student(str(architectures["opt"]))
    assert is_tied(base.model)
    lora = {**ON_Q_AND_V, "dropout": 0, **also}
    section = {"base": str(architectures["opt"]), "method": "lora", "name": "headed", "steps": 6, "lora": lora}
    home = train_student(dataset, {**section, "learning_rate": 1e-2}, tmp_path, False, silent)
    trained = open_trained(home)
    tokens = torch.tensor([[5, 6, 7, 8, 9]])
    with torch.inference_mode():
        expected = trained.model.eval()(tokens).logits
        assert (expected - base.model.eval()(tokens).logits).abs().max() > 0.1
        merged = trained.model.merge_and_unload()
        merged.save_pretrained(tmp_path / "merged")
        trained.tokenizer.save_pretrained(tmp_path / "merged")
        again = open_student(str(tmp_path / "merged"))
        assert (again.model.eval()(tokens).logits - expected).abs().max() < 1e-4
    assert is_tied(again.model) is not also.get("untie_head", False)


def test_a_head_that_is_not_tied_cannot_be_untied(architectures: dict[str, Path]) -> None:
    with pytest.raises(RecipeError, match="weights of its own already"):
        adapter_for(LoraSettings(untie_head=True), open_student(str(architectures["neox"])).model)


def test_a_name_that_only_another_architecture_knows_is_refused(architectures: dict[str, Path]) -> None:
    """On disk the head of GPT-NeoX is embed_out; in memory it is lm_head, and peft would ignore the other name."""
    with pytest.raises(RecipeError, match="no layer named embed_out"):
        adapter_for(LoraSettings(also_train=["embed_out"]), open_student(str(architectures["neox"])).model)


@pytest.mark.parametrize("kind", [{"rslora": True, "alpha": 8}, {"dora": True}])
def test_the_kinds_of_adapters_train_and_open_again(
    dataset: Path, architectures: dict[str, Path], tmp_path: Path, kind: dict[str, Any]
) -> None:
    section = {"base": str(architectures["llama"]), "method": "lora", "name": "kind", "steps": 2, "lora": kind}
    home = train_student(dataset, section, tmp_path, False, silent)
    adapter = open_trained(home).model.peft_config["default"]
    assert (adapter.use_rslora, adapter.use_dora) == (kind.get("rslora", False), kind.get("dora", False))


def test_without_a_gpu_qlora_says_so_in_one_line(dataset: Path, architectures: dict[str, Path], tmp_path: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(UsageError, match="needs a GPU, and torch sees none here") as fault:
        train_student(dataset, {"base": str(architectures["llama"]), "method": "qlora"}, tmp_path, False, silent)
    assert "\n" not in str(fault.value)
    assert "lora" in fault.value.remedy
    assert report_on(dataset, settings_of({"base": str(architectures["llama"]), "method": "qlora"}, dataset)).fits


def test_without_bitsandbytes_qlora_says_what_to_install() -> None:
    from importlib.util import find_spec

    if find_spec("bitsandbytes"):
        assert four_bits(gpu=True).bnb_4bit_quant_type == "nf4"
    else:
        with pytest.raises(UsageError, match=r"pip install .coursework\[qlora\]"):
            four_bits(gpu=True)


def test_activations_are_kept_where_memory_is_not_scarce() -> None:
    auto = StudentSettings(base="a/b")
    small, large = Weights(10**6, 10**6), Weights(10**9, 10**9)
    assert not saves_memory(auto, large, gpu_bytes=None)
    assert not saves_memory(auto, small, gpu_bytes=16 * 2**30)
    assert saves_memory(auto, large, gpu_bytes=16 * 2**30)
    assert not saves_memory(auto, Weights(10**6, 10**9), gpu_bytes=16 * 2**30)
    assert saves_memory(auto.model_copy(update={"checkpointing": "on"}), small, gpu_bytes=None)
    assert not saves_memory(auto.model_copy(update={"checkpointing": "off"}), large, gpu_bytes=1)


def test_a_trained_student_is_a_base_to_go_on_from(dataset: Path, trained: Path, tmp_path: Path) -> None:
    home = train_student(dataset, {"base": str(trained), "name": "further", "steps": 1}, tmp_path, False, silent)
    assert read_student(home).loss[-1].loss < 1
    section = {"base": str(trained), "method": "lora", "name": "adapter", "steps": 1}
    adapter = train_student(dataset, section, tmp_path, False, silent)
    named = json.loads((adapter / "adapter" / "adapter_config.json").read_text())["base_model_name_or_path"]
    assert named == str(trained / "model")
    with pytest.raises(Exception, match="coursework merge"):
        train_student(dataset, {"base": str(adapter), "steps": 1}, tmp_path, False, silent)


@pytest.mark.parametrize("name", sorted(presets()))
def test_every_preset_is_a_student_section(name: str) -> None:
    settings = student_named(name)
    assert settings.learning_rate
    assert name.startswith(settings.base)


def test_the_presets_are_the_students_of_the_readme() -> None:
    assert {
        *("local", "EleutherAI/pythia-70m", "facebook/opt-350m", "HuggingFaceTB/SmolLM2-135M", "Qwen/Qwen3-0.6B"),
        *("meta-llama/Llama-3.2-1B-Instruct", "meta-llama/Llama-3.2-1B-Instruct:qlora"),
    } == set(presets())
    assert student_named("facebook/opt-350m").method == "lora"
    assert student_named("./mine").base == "./mine"


def opt_350m() -> Any:
    """The model that config.json of facebook/opt-350m describes, without any weights."""
    from transformers import OPTConfig

    config = OPTConfig(
        vocab_size=50272, hidden_size=1024, num_hidden_layers=24, ffn_dim=4096, num_attention_heads=16,
        word_embed_proj_dim=512, do_layer_norm_before=False, max_position_embeddings=2048,
    )  # fmt: skip
    return weightless(config)


def weightless(config: Any) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config)
