"""Probabilities and logits, and the temperature that a network's file states."""

from __future__ import annotations

import numpy as np

#: Decimals of a probability, in all that is shown and compared with a threshold.
DECIMALS = 6

#: No probability counts as less in a logarithm: the smallest that a softmax in float32 gives before it gives 0.
_TINY = float(np.finfo(np.float32).tiny)


def apply_temperature(scores: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities as they would be with logits divided by a temperature; their order stays.

    The logits themselves are not needed: a softmax forgets a common summand, and the logarithm gives the rest back.

    Args:
        scores: float (…, c).
        temperature: above 1 makes the network less sure, below 1 surer; 1 leaves ``scores`` as they are.

    Returns:
        float32 (…, c), whose last axis sums to 1.
    """
    if temperature == 1.0:
        return scores
    logits = logits_of(scores) / temperature
    return softmax(logits)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits (…, c), float32 (…, c)."""
    powers = np.exp(np.asarray(logits, np.float64) - logits.max(axis=-1, keepdims=True))
    shares: np.ndarray = powers / powers.sum(axis=-1, keepdims=True)
    return shares.astype(np.float32)


def logits_of(scores: np.ndarray) -> np.ndarray:
    """Logits, float64 (…, c), of probabilities (…, c), but for a common summand."""
    logits: np.ndarray = np.log(np.maximum(scores, _TINY).astype(np.float64))
    return logits
