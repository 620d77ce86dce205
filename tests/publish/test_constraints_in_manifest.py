"""What a persona's answers may measure travels with the dataset, so that a student's can be held against it."""

from __future__ import annotations

from pipeline.constraints import Bounds, Constraints
from pipeline.publish.dataset import Dataset, Provenance
from pipeline.publish.schema import Manifest
from pipeline.recipe import Persona, Recipe


def test_the_manifest_holds_the_constraints_of_each_kind_in_a_personas_voice():
    recipe = Recipe(name="voice", persona=Persona(file="p.yaml"))
    constraints = {"persona": Constraints(words=Bounds(min=2, max=4), hashtags=Bounds(max=1))}
    files = Dataset(recipe, Provenance("0", "0", {}, {}, False, [], constraints=constraints)).closing({})
    manifest = Manifest.model_validate_json(files["manifest.json"])
    assert manifest.keeps_constraints("persona", "Mars is next #Mars") is True
    assert manifest.keeps_constraints("persona", "Mars") is False
    assert manifest.keeps_constraints("persona", "Mars #one #two") is False
    assert manifest.keeps_constraints("document", "Mars") is None
