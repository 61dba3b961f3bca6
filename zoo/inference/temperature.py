"""Softmax, logits, and temperature scaling of probabilities."""

from __future__ import annotations

import numpy as np

#: Decimals of a probability wherever it is shown or compared with a threshold.
DECIMALS = 6

#: Lower bound of a probability in a logarithm: the least that a float32 softmax gives above 0.
_TINY = float(np.finfo(np.float32).tiny)


def apply_temperature(scores: np.ndarray, temperature: float) -> np.ndarray:
    """The softmax of logits divided by a temperature, from probabilities (…, c) without it: float32 (…, c)."""
    return scores if temperature == 1.0 else softmax(logits_of(scores) / temperature)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits (…, c), float32 (…, c)."""
    powers = np.exp(np.asarray(logits, np.float64) - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)


def logits_of(scores: np.ndarray) -> np.ndarray:
    """Logits of probabilities (…, c), float64 (…, c), up to a constant that a softmax ignores."""
    return np.asarray(np.log(np.maximum(scores, _TINY).astype(np.float64)))
