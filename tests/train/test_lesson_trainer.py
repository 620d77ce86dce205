"""The loss is the model's own, computed at the places where something is taught."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.train.architectures import ARCHITECTURES, base_of_kind
from train.lesson_trainer import summed_loss, takes_positions
from train.students import open_student

pytest.importorskip("trl", reason="the training stage needs coursework[train]")


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_the_loss_at_taught_places_is_the_models_own(dataset: Path, tmp_path: Path, kind: str) -> None:
    import torch

    model = open_student(str(base_of_kind(kind, dataset, tmp_path / kind))).model.eval()
    assert takes_positions(model)
    tokens = torch.randint(5, 200, (4, 12), generator=torch.Generator().manual_seed(0))
    labels = tokens.clone()
    for row, begins in enumerate((3, 5, 5, 8)):
        labels[row, :begins] = -100
    labels[1, 10:] = -100
    wanted = model(input_ids=tokens, labels=labels).loss
    shifted = labels[:, 1:]
    taught = (shifted != -100).any(dim=0).nonzero().flatten()
    assert len(taught) < 11
    loss, hits, count = summed_loss(model(input_ids=tokens, logits_to_keep=taught).logits, shifted[:, taught])
    assert int(count) == 9 + 5 + 7 + 4
    assert 0 <= int(hits) <= int(count)
    assert torch.allclose(loss / count, wanted, atol=1e-6)


def test_a_model_that_cannot_be_told_where_is_left_to_the_trainer() -> None:
    class Plain:
        def forward(self, input_ids: object) -> None:
            """As older models are."""

    assert not takes_positions(Plain())
