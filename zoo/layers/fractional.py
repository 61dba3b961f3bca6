"""Fractional max-pooling: downsampling by 1 to 2 over random regions for each batch (Graham, 2014, arXiv 1412.6071).

Random numbers come from a cipher in counter mode, in int32, so that a seed and a call give the same regions anywhere.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.core.errors import UsageError

Pair = tuple[int, int]

WORD = 0xFFFF  # the cipher's words have 16 bits, so that sums and shifts fit int32
ROUNDS = 22
TRAINING, INFERENCE = 0, 1  # independent streams of random numbers


def round_keys(words: tuple[int, int, int, int]) -> list[int]:
    """Expand a key of four 16-bit words, the first used first, to one word for each round."""
    key, rest = words[0], list(words[1:])
    keys = [key]
    for index in range(ROUNDS - 1):
        mixed = ((key + (rest[index] >> 7 | rest[index] << 9)) & WORD) ^ index
        key = ((key << 2 | key >> 14) & WORD) ^ mixed
        rest.append(mixed)
        keys.append(key)
    return keys


def speck32(block: Any, keys: list[int], xp: Any) -> tuple[Any, Any]:
    """Encrypt int32 blocks with Speck32/64 (Beaulieu et al., 2013, ePrint 2013/404): upper and lower 16 bits, int32."""
    upper, lower = xp.right_shift(block, 16), xp.bitwise_and(block, WORD)
    for key in keys:
        upper = xp.add(xp.bitwise_or(xp.right_shift(upper, 7), xp.left_shift(upper, 9)), lower)
        upper = xp.bitwise_xor(xp.bitwise_and(upper, WORD), key)
        lower = xp.bitwise_and(xp.bitwise_or(xp.left_shift(lower, 2), xp.right_shift(lower, 14)), WORD)
        lower = xp.bitwise_xor(lower, upper)
    return upper, lower


def region_boundaries(
    spans: Pair, outputs: Pair, call: Any, *, pseudorandom: bool, seed: int, stream: int = TRAINING, xp: Any = np
) -> tuple[Any, Any]:
    """For rows and for columns ``output + 1`` integers from 0 to the span, in steps of 1 and 2.

    *Pseudorandom* ones are ``ceil(alpha * (i + u)) - ceil(alpha * u)`` with ``alpha = span / output`` and one random u,
    *random* ones the cumulative sums of shuffled ones and twos; ``span + 2 * output`` is below 2^15.
    """
    counts = (1, 1) if pseudorandom else outputs
    total = sum(counts)
    # Each call takes the next blocks of the cipher.
    block = xp.add(xp.multiply(xp.mod(call, 2**31 // total), total), xp.arange(total, dtype="int32"))
    drawn, _ = speck32(block, round_keys((seed & WORD, seed >> 16, stream, 0)), xp)
    boundaries = _pseudorandom if pseudorandom else _random
    rows = boundaries(drawn[: counts[0]], spans[0], outputs[0], xp)
    return rows, boundaries(drawn[counts[0] :], spans[1], outputs[1], xp)


def _pseudorandom(drawn: Any, span: int, output: int, xp: Any) -> Any:
    """Boundaries from one number below 2^16, the numerator of u."""
    whole, rest = np.divmod(span * np.arange(output + 1), output)
    # The ceiling in integers; the integer part is kept apart, or the products would overflow.
    numerators = xp.add(xp.multiply(drawn, span), (rest * (WORD + 1) + output * (WORD + 1) - 1).astype("int32"))
    ceilings = xp.add(xp.floor_divide(numerators, output * (WORD + 1)), whole.astype("int32"))
    return xp.subtract(ceilings, ceilings[:1])


def _random(drawn: Any, span: int, output: int, xp: Any) -> Any:
    """Boundaries from one number below 2^16 a region: regions with the smallest numbers are two pixels wide."""
    # The index breaks ties.
    numbers = xp.add(xp.multiply(drawn, output), xp.arange(output, dtype="int32"))
    ranks = xp.sum(xp.less(xp.expand_dims(numbers, 0), xp.expand_dims(numbers, 1)), axis=1)
    steps = xp.where(xp.less(ranks, span - output), 2, 1)
    return xp.concatenate([xp.zeros((1,), dtype="int32"), xp.cumsum(steps)])


def fractional_max_pool(x: Any, boundaries: tuple[Any, Any], *, overlapping: bool, fast_gradient: bool = False) -> Any:
    """The maximum over each region of (batch, height, width, channels); overlapping regions are one pixel larger.

    Lists of integers as boundaries give a graph of stock operations, which plain Keras loads. ``fast_gradient``
    gathers, in a third of Keras's time on a CPU; not for symbolic tensors.
    """
    if overlapping:
        x = ops.max_pool(x, 2, strides=1, padding="valid")
    pool = _pool_with_fast_gradient if fast_gradient else _pool
    for axis, ends in zip((1, 2), boundaries, strict=True):
        x = pool(x, ends, axis)
    return x


def _ends(boundaries: Any) -> tuple[Any, Any]:
    """First and last pixel of each region."""
    if isinstance(boundaries, list):
        return boundaries[:-1], [end - 1 for end in boundaries[1:]]
    return boundaries[:-1], boundaries[1:] - 1


def _pool(x: Any, boundaries: Any, axis: int) -> Any:
    first, last = _ends(boundaries)
    return ops.maximum(ops.take(x, first, axis=axis), ops.take(x, last, axis=axis))


def _pool_with_fast_gradient(x: Any, boundaries: Any, axis: int) -> Any:
    """The same with a gathered gradient, as no pixel is in two regions; of equal pixels the first gets it."""
    size = x.shape[axis]
    first, last = _ends(boundaries)

    @ops.custom_gradient  # type: ignore[untyped-decorator]
    def pool(x: Any) -> tuple[Any, Any]:
        firsts, lasts = ops.take(x, first, axis=axis), ops.take(x, last, axis=axis)

        def gradient(*args: Any, upstream: Any = None) -> Any:
            upstream = args[0] if upstream is None else upstream
            pixels = ops.arange(size, dtype="int32")
            region = ops.sum(ops.less_equal(ops.expand_dims(boundaries[1:], 0), ops.expand_dims(pixels, 1)), axis=1)
            is_first = ops.equal(ops.take(boundaries, region), pixels)
            wins = ops.take(ops.greater_equal(firsts, lasts), region, axis=axis)
            found = ops.take(upstream, region, axis=axis)
            shape = [size if index == axis else 1 for index in range(4)]
            return ops.where(ops.equal(wins, ops.reshape(is_first, shape)), found, ops.zeros_like(found))

        return ops.maximum(firsts, lasts), gradient

    return pool(x)


@keras.saving.register_keras_serializable(package="zoo")
class FractionalMaxPooling2D(keras.layers.Layer):  # type: ignore[misc]
    """Fractional max-pooling, arXiv 1412.6071, in all four variants.

    In training, each call draws new regions for the whole batch; otherwise they are fixed by ``seed``. The number of
    calls is among the layer's variables, so that training can be resumed exactly. On a CPU fastest without XLA.

    Input: ``(batch, height, width, channels)``, height and width known. Output: ``(batch, rows, columns, channels)``.

    Args:
        pool_ratio: downsampling factor, more than 1 and at most 2, or a pair of them; the output has
            ``floor(size / pool_ratio)`` regions. A disjoint ratio may be 1.
        output_size: rows and columns of the output, or one number for both, instead of a ratio.
        overlapping: regions share a pixel with each neighbour, instead of disjoint regions of one or two.
        pseudorandom: regions spread evenly (``ceil(alpha * (i + u))``) instead of shuffled sizes.
        seed: 0 to 2^31 - 1, different for each layer of a network.
        **kwargs: of :class:`keras.layers.Layer`.
    """

    def __init__(
        self,
        pool_ratio: float | tuple[float, float] | None = None,
        *,
        output_size: int | Pair | None = None,
        overlapping: bool = True,
        pseudorandom: bool = True,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        """Check and store the arguments."""
        super().__init__(**kwargs)
        if (pool_ratio is None) == (output_size is None):
            raise UsageError(f"{self.name} takes either pool_ratio or output_size.")
        if not 0 <= seed < 2**31:
            raise UsageError(f"{self.name}: seed is 0 to 2147483647. Received: {seed}")
        self.pool_ratio = pool_ratio
        self.output_size = output_size
        self.overlapping = overlapping
        self.pseudorandom = pseudorandom
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Draw the regions for inference."""
        spans, outputs = self._sizes(input_shape)
        fixed = region_boundaries(spans, outputs, 0, pseudorandom=self.pseudorandom, seed=self.seed, stream=INFERENCE)
        self._fixed = tuple(ends.tolist() for ends in fixed)
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Pool one batch."""
        if not training:
            return fractional_max_pool(inputs, self._fixed, overlapping=self.overlapping)
        spans, outputs = self._sizes(inputs.shape)
        number = ops.cast(self.seed_generator.next()[1], "int32")
        drawn = region_boundaries(
            spans, outputs, number, pseudorandom=self.pseudorandom, seed=self.seed, stream=TRAINING, xp=ops
        )
        return fractional_max_pool(inputs, drawn, overlapping=self.overlapping, fast_gradient=True)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Shape of the output."""
        _, outputs = self._sizes(input_shape)
        return (input_shape[0], *outputs, input_shape[3])

    def get_config(self) -> dict[str, Any]:
        """Arguments, for saving."""
        names = ("pool_ratio", "output_size", "overlapping", "pseudorandom", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    def _sizes(self, input_shape: tuple[int | None, ...]) -> tuple[Pair, Pair]:
        """Span and number of the regions of each axis."""
        sizes = tuple(input_shape)[1:3]
        if len(input_shape) != 4 or None in sizes:
            raise UsageError(
                f"{self.name} takes (batch, height, width, channels), height and width known. "
                f"Received: {tuple(input_shape)}"
            )
        outputs: tuple[int, ...]
        if self.output_size is not None:
            outputs = _both(self.output_size)
        else:
            outputs = tuple(int(size / ratio) for size, ratio in zip(sizes, _both(self.pool_ratio), strict=True))
        spans = tuple(size - self.overlapping for size in sizes)  # type: ignore[operator]
        if any(not 0 < output <= span <= 2 * output for span, output in zip(spans, outputs, strict=True)):
            kind, few, many = ("overlapping", 2, 3) if self.overlapping else ("disjoint", 1, 2)
            raise UsageError(
                f"{self.name}: {kind} regions have {few} or {many} pixels a side, and {outputs[0]}×{outputs[1]} such "
                f"regions do not fit {sizes[0]}×{sizes[1]} pixels; choose a pool_ratio between 1 and 2."
            )
        return spans, outputs  # type: ignore[return-value]


def _both(value: Any) -> tuple[Any, Any]:
    """One value for both axes, or a pair."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)
