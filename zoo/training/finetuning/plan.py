"""Which parts of a trained network learn: the rule of the mode ``auto``, in words and in numbers.

The four cases of transfer learning: few images that are like those the network knows, train the head; many of them,
fine-tune all of it for a few epochs; few that are unlike, a head on earlier features, that is, more of the network
learns; many that are unlike, train all of it, from its weights. How many there are is counted; how alike they are is
read off the head, once it has learnt: where it is right less often than :data:`ALIKE`, they are unlike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zoo.core.spec import ModelSpec

#: Images to learn from, from which on there are many.
MANY = 20_000
#: Accuracy of the head on the validation images, from which on they are like what the network knows.
ALIKE = 0.6
#: What stands before the name of a layer where the one after it is meant.
AFTER = "after:"
#: Stages that learn where there are few images, alike and unlike.
STAGES_ALIKE, STAGES_UNLIKE = 1, 3


@dataclass(frozen=True, slots=True)
class Depth:
    """How much of a network learns after its head, and why."""

    #: ``"partial"`` or ``"full"``.
    phase: str
    #: Stages, counted from the top, for ``partial``.
    stages: int
    reason: str


def depth(images: int, head_top1: float | None) -> Depth:
    """The rule.

    Args:
        images: to learn from.
        head_top1: accuracy of the head on the validation images, 0-1; ``None`` where there are none.
    """
    many = images >= MANY
    alike = head_top1 is None or head_top1 >= ALIKE
    size = f"{images:,} images are {'many' if many else 'few'} (from {MANY:,} on they are many)"
    if head_top1 is None:
        likeness = "nothing tells how like they are to what the network knows, so they are taken to be"
    else:
        likeness = f"the head is right for {head_top1:.1%} of the validation images, so they are " + (
            "like what the network knows" if alike else "unlike what the network knows"
        )
    if many:
        return Depth("full", 0, f"{size}, and {likeness}: all of it learns")
    stages = STAGES_ALIKE if alike else STAGES_UNLIKE
    return Depth("partial", stages, f"{size}, and {likeness}: {_stages(stages)} learn{'s' * (stages == 1)}")


def rule() -> str:
    """The rule in a sentence, for a plan that is made before the head has learnt."""
    return (
        f"after the head, from {MANY:,} images on all of the network learns; with fewer, {_stages(STAGES_ALIKE)}, or "
        f"{_stages(STAGES_UNLIKE)} where the head is right for less than {ALIKE:.0%}; what validates best is kept"
    )


def _stages(count: int) -> str:
    return "its last stage" if count == 1 else f"its last {count} stages"


def first_above(names: Sequence[str], ends: Sequence[int], stages: int) -> str:
    """The first operation of the upper ``stages``, of operations of which those at ``ends`` end a stage."""
    if stages >= len(ends):
        return names[0]
    return names[ends[len(ends) - stages - 1] + 1]


def resolve(spec: ModelSpec, names: Sequence[str], unfreeze_from: str) -> str | None:
    """The first operation that learns; ``None`` where there is no stage and no layer of that name.

    Args:
        spec: the network, which names its stages.
        names: its operations, in order.
        unfreeze_from: a stage, a layer, or ``after:LAYER``.
    """
    if unfreeze_from.startswith(AFTER):
        name = unfreeze_from.removeprefix(AFTER)
        return names[names.index(name) + 1] if name in names[:-1] else None
    stages = [stage for stage in spec.stages if stage.layer in names]
    for number, stage in enumerate(stages):
        if stage.name == unfreeze_from:
            return names[names.index(stages[number - 1].layer) + 1] if number else names[0]
    return unfreeze_from if unfreeze_from in names else None
