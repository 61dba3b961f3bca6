"""Example runs to report on."""

from __future__ import annotations

import numpy as np

from zoo.data.checks.findings import Finding
from zoo.evaluation import metrics
from zoo.training.report import GalleryImage, PhaseEpochs, RunReport


def pixels(height=48, width=64, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def rows(count, *, val=True):
    found = []
    for epoch in range(1, count + 1):
        row = {"epoch": epoch, "seconds": 2.0 * epoch, "learning_rate": 0.1 / epoch, "loss": 2 / epoch}
        row |= {"top1": 1 - 0.9 / epoch}
        found.append(row | ({"val_loss": 2.2 / epoch, "val_top1": 0.98 - 0.9 / epoch} if val else {}))
    return found


def evaluated(names, each=20, wrong=2):
    """Summary and confusion of a network that takes ``wrong`` images of each class for the next class."""
    labels = np.repeat(np.arange(len(names)), each)
    predicted = labels.copy()
    predicted[np.arange(len(labels)) % each < wrong] += 1
    predicted %= len(names)
    scores = np.full((len(labels), len(names)), 0.2 / max(1, len(names) - 1))
    scores[np.arange(len(labels)), predicted] = 0.8
    return metrics.summary(scores, labels, names), metrics.confusion_matrix(predicted, labels, len(names))


def run(names=("cat", "dog", "owl"), **changes):
    """A run with everything that a page can show."""
    summary, matrix = evaluated(names)
    values = {
        "title": "pets",
        "command": "zoo finetune --dataset pets/ \\\n  --seed 1",
        "when": "2025-11-21",
        "facts": [("network", "mobilenetv2"), ("seconds", {"head": 6.25, "evaluating": 1}), ("licence", None)],
        "plan": ["The head is trained first."],
        "metrics": {"train": {"loss": 0.1, "top1": 0.95}, "val": summary, "test": summary},
        "history": rows(12),
        "best_epoch": 11,
        "phases": [PhaseEpochs("head", 1, 5), PhaseEpochs("partial", 6, 12)],
        "classes": names,
        "confusion": matrix,
        "counts": {name: {"train": 100, "val": 20, "test": 20} for name in names},
        "findings": [Finding("leak", "One image is in train and in test.", ("train/a.jpg", "test/b.jpg"))],
        "failed": [("train/broken.jpg", "it is cut off")],
        "wrong": [GalleryImage("test/cat/1.jpg", names[0], names[1], 0.97, pixels(), pixels(seed=1), 0.02)],
        "right": [GalleryImage("test/dog/2.jpg", names[1], names[1], 0.35, pixels(20, 20))],
    }
    return RunReport(**(values | changes))
