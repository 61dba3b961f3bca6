"""Which part of a pretrained network is fine-tuned: the rule of the mode ``auto``.

Many images train everything; few train the last stage, or more if they are different, that is, the head's accuracy is
low.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zoo.core.spec import ModelSpec

MANY = 20_000  #: Training images from which on there are many.
SIMILAR = 0.6  #: Accuracy of the head on the validation images from which on they are similar.
AFTER = "after:"  #: The prefix of a layer's name that means the layer after it.
STAGES_SIMILAR, STAGES_DIFFERENT = 1, 3  #: Stages that are trained if there are few images, similar and different ones.


@dataclass(frozen=True, slots=True)
class Depth:
    """How much of a network is trained after its head, and why."""

    phase: str  #: ``"partial"`` or ``"full"``.
    stages: int  #: Stages, counted from the top, for ``partial``.
    reason: str


def depth(images: int, head_top1: float | None) -> Depth:
    """Apply the rule to the number of training images and the head's accuracy, ``None`` without validation images."""
    many = images >= MANY
    similar = head_top1 is None or head_top1 >= SIMILAR
    size = f"{images:,} images are {'many' if many else 'few'} (many: from {MANY:,})"
    if head_top1 is None:
        likeness = "without validation images they are taken to be similar to the pretraining images"
    else:
        likeness = (
            f"the head's accuracy on the validation images is {head_top1:.1%}, so they are "
            f"{'similar to' if similar else 'different from'} the pretraining images"
        )
    if many:
        return Depth("full", 0, f"{size}, and {likeness}: the whole network is trained")
    stages = STAGES_SIMILAR if similar else STAGES_DIFFERENT
    return Depth("partial", stages, f"{size}, and {likeness}: training continues with {_stages(stages)}")


def rule() -> str:
    """The rule in a sentence, for a dry run."""
    return (
        f"after the head, with {MANY:,} images or more the whole network is trained; with fewer, "
        f"{_stages(STAGES_SIMILAR)}, or {_stages(STAGES_DIFFERENT)} if the head's accuracy is below {SIMILAR:.0%}; "
        "what validates best is kept"
    )


def _stages(count: int) -> str:
    return "its last stage" if count == 1 else f"its last {count} stages"


def first_of_stages(names: Sequence[str], ends: Sequence[int], stages: int) -> str:
    """The first operation of the last ``stages``; ``ends`` are the indices in ``names`` at which stages end."""
    return names[0] if stages >= len(ends) else names[ends[len(ends) - stages - 1] + 1]


def resolve(spec: ModelSpec, names: Sequence[str], unfreeze_from: str) -> str | None:
    """The first operation in ``names`` that is trained, by stage, layer or ``after:LAYER``, if there is one."""
    if unfreeze_from.startswith(AFTER):
        name = unfreeze_from.removeprefix(AFTER)
        return names[names.index(name) + 1] if name in names[:-1] else None
    stages = [stage for stage in spec.stages if stage.layer in names]
    for number, stage in enumerate(stages):
        if stage.name == unfreeze_from:
            return names[names.index(stages[number - 1].layer) + 1] if number else names[0]
    return unfreeze_from if unfreeze_from in names else None
