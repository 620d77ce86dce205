"""What a recipe may say under `mix:`, the licences in it, and how many rows of each set follow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import RecipeError
from pipeline.mix.licences import following, non_commercial, spdx
from pipeline.mix.settings import Mix
from pipeline.mix.shares import rows_for, wanted_of
from pipeline.recipe import load_recipe


def mix(**sets: dict) -> Mix:
    more = {name: sets.pop(name) for name in ("share", "non_commercial") if name in sets}
    named = {name: {"files": "a.jsonl", "licence": "MIT"} | one for name, one in sets.items()}
    return Mix.model_validate({"sets": named} | more)


@pytest.mark.parametrize(
    ("said", "meant", "barred"),
    [
        ("cc-by-nc-4.0", "CC-BY-NC-4.0", True),
        ("CC BY-NC-SA 4.0", "CC-BY-NC-SA-4.0", True),
        ("PolyForm-Noncommercial-1.0.0", "PolyForm-Noncommercial-1.0.0", True),
        ("LicenseRef-research-only", "LicenseRef-research-only", True),
        ("MIT OR cc-by-nc-4.0", "MIT OR CC-BY-NC-4.0", False),
        ("apache 2.0", "Apache-2.0", False),
        ("Apache-2.0 licence", "Apache-2.0", False),
        ("odc-by", "ODC-By-1.0", False),
        ("cc0", "CC0-1.0", False),
        ("NCSA", "NCSA", False),
        ("Unknown", "unknown", False),
    ],
)
def test_a_licence_gets_its_spdx_name_and_is_known_to_be_non_commercial(said, meant, barred):
    assert spdx(said) == meant
    assert non_commercial(meant) is barred
    assert spdx(meant) == meant


@pytest.mark.parametrize("said", ["", "free", "other", "CC-BY-NC", "ask me"])
def test_what_is_no_licence_is_refused(said):
    with pytest.raises(ValueError, match="SPDX"):
        spdx(said)


def test_a_licence_follows_only_where_all_parts_agree_or_ask_nothing():
    assert following(["CC-BY-4.0", "CC0-1.0", "CC-BY-4.0"]) == "CC-BY-4.0"
    assert following(["CC0-1.0"]) == "CC0-1.0"
    assert following(["CC-BY-4.0", "CC-BY-SA-4.0"]) == ""
    assert following(["MIT", "unknown"]) == ""
    assert following(["unknown"]) == ""


def refused(tmp_path, text: str) -> str:
    path = tmp_path / "r.yaml"
    path.write_text(f"name: r\npersona: {{file: p.yaml}}\n{text}")
    with pytest.raises(RecipeError) as fault:
        load_recipe(path)
    assert fault.value.exit_code == 78
    return str(fault.value)


def test_a_non_commercial_set_needs_the_flag_and_is_named(tmp_path):
    said = refused(tmp_path, "mix:\n  sets:\n    mwp: {files: a.jsonl, licence: cc-by-nc-4.0}\n")
    assert "r.yaml:3: mix: mwp (CC-BY-NC-4.0)" in said
    assert "non_commercial: true" in said
    assert mix(mwp={"licence": "cc-by-nc-4.0"}, non_commercial=True).sets["mwp"].licence == "CC-BY-NC-4.0"


@pytest.mark.parametrize(
    ("one", "said"),
    [
        ("{files: a.jsonl}", "mix.sets.a.licence: is missing"),
        ("{licence: MIT}", "expected files: or hub:"),
        ("{files: a.jsonl, hub: b/c, licence: MIT}", "expected files: or hub:"),
        ("{files: a.jsonl, split: test, licence: MIT}", "belong to hub:"),
        ("{files: a.jsonl, licence: MIT, weight: 2}", "there is no share:"),
        ("{files: a.jsonl, licence: MIT, fields: {question: q}}", "expected question: and answer:, or messages:"),
        ("{files: a.jsonl, licence: MIT, format: alpaca, fields: {messages: q}}", "expected format: or fields:"),
        ("{files: a.jsonl, licence: MIT, formt: alpaca}", "Did you mean format?"),
    ],
)
def test_a_faulty_set_is_named_by_its_place(tmp_path, one, said):
    assert said in refused(tmp_path, f"mix:\n  sets:\n    a: {one}\n")


def test_refusals_and_mix_leave_room_for_what_is_drafted(tmp_path):
    text = "refusals: {topic: bees, sentence: Bees only., share: 0.4, off_topic: {fields: [cars]}}\n"
    said = refused(tmp_path, f"{text}mix:\n  share: 0.6\n  sets:\n    a: {{files: a.jsonl, licence: MIT}}\n")
    assert "leaves nothing to what is drafted" in said


def test_sets_part_the_share_by_weight_and_a_capped_one_leaves_its_rest_to_the_others():
    parted = mix(a={}, b={"weight": 3}, share=0.5)
    assert wanted_of(parted, 100, 0, None) == {"a": 25, "b": 75}
    assert wanted_of(mix(a={}, b={"weight": 3, "cap": 10}, share=0.5), 100, 0, None) == {"a": 90, "b": 10}
    assert wanted_of(mix(a={"cap": 5}, b={}), 100, 0, None) == {"a": 5, "b": None}


@given(
    st.floats(0.01, 0.9),
    st.integers(1, 10**6),
    st.integers(0, 10**6),
    st.floats(0, 0.9),
    st.sampled_from([True, False]),
)
def test_the_share_of_the_mix_and_that_of_refusals_hold_together(share, answered, refusals, refused, has_refusals):
    """Whatever there is of refusals: as many of them are trained as their share lets in, or all."""
    if not has_refusals:
        refusals, refused = 0, None
    elif share + refused >= 0.99:
        return
    rows = rows_for(share, answered, refusals, refused)
    trained = refusals if refused is None else min(refusals, round(refused / (1 - refused) * (answered + rows)))
    whole = answered + rows + trained
    assert abs(rows / whole - share) <= 2 / whole + 1e-9
