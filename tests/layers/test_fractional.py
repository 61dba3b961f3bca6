"""Fractional max-pooling: regions that tile, the same on every backend, and maxima over them."""

import json
import math
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers, ops

from zoo.core.errors import UsageError
from zoo.layers.fractional import (
    INFERENCE,
    TRAINING,
    FractionalMaxPooling2D,
    fractional_max_pool,
    region_boundaries,
    round_keys,
    speck32,
)

ROOT = Path(__file__).parents[2]
VARIANTS = [(overlapping, pseudorandom) for overlapping in (False, True) for pseudorandom in (False, True)]
needs_tensorflow = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="gradients by TensorFlow's tape")


# The slow way, in Python's own integers and fractions


def slow_speck(block, key):
    """Speck32/64 after the equations of its paper; ``key`` is (l2, l1, l0, k0)."""

    def right(x, n):
        return (x >> n | x << (16 - n)) % 2**16

    def left(x, n):
        return right(x, 16 - n)

    k, ell = [key[3]], [key[2], key[1], key[0]]
    for i in range(21):
        ell.append((k[i] + right(ell[i], 7)) % 2**16 ^ i)
        k.append(left(k[i], 2) ^ ell[i + 3])
    x, y = divmod(block, 2**16)
    for i in range(22):
        x = (right(x, 7) + y) % 2**16 ^ k[i]
        y = left(y, 2) ^ x
    return x, y


def slow_boundaries(spans, outputs, call, *, pseudorandom, seed, stream):
    key = (0, stream, seed >> 16, seed % 2**16)
    counts = (1, 1) if pseudorandom else outputs
    total = sum(counts)
    start = call % (2**31 // total) * total
    draws = [slow_speck(start + i, key)[0] for i in range(total)]
    drawn = {"rows": draws[: counts[0]], "columns": draws[counts[0] :]}
    found = []
    for numbers, span, output in zip(drawn.values(), spans, outputs, strict=True):
        if pseudorandom:
            alpha, u = Fraction(span, output), Fraction(numbers[0], 2**16)
            found.append([math.ceil(alpha * (i + u)) - math.ceil(alpha * u) for i in range(output + 1)])
        else:
            order = sorted(range(output), key=lambda i: numbers[i] * output + i)
            wide = set(order[: span - output])
            found.append([sum(2 if j in wide else 1 for j in range(i)) for i in range(output + 1)])
    return found


def slow_pool(x, rows, columns, overlapping):
    """Graham's definition: regions end one pixel before the next begins, or with its first."""
    more = 1 if overlapping else 0
    y = np.empty((x.shape[0], len(rows) - 1, len(columns) - 1, x.shape[3]), x.dtype)
    for i in range(len(rows) - 1):
        for j in range(len(columns) - 1):
            region = x[:, rows[i] : rows[i + 1] + more, columns[j] : columns[j + 1] + more]
            y[:, i, j] = region.max((1, 2))
    return y


@st.composite
def sizes(draw, limit=150):
    output = draw(st.integers(1, limit))
    return draw(st.integers(output, 2 * output)), output


# Random numbers


def test_the_cipher_gives_the_vector_that_its_authors_published():
    upper, lower = speck32(np.int32(0x6574_694C), round_keys((0x0100, 0x0908, 0x1110, 0x1918)), np)
    assert (upper, lower) == (0xA868, 0x42F2)


@given(st.integers(0, 2**31 - 1), st.tuples(*[st.integers(0, 2**16 - 1)] * 4))
def test_the_cipher_is_that_of_the_paper(block, key):
    assert tuple(map(int, speck32(np.int32(block), round_keys(key), np))) == slow_speck(block, key[::-1])


# Regions


@given(sizes(), sizes(), st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1), st.booleans())
@settings(max_examples=60, deadline=None)
def test_regions_are_those_of_the_slow_way_and_tile_the_input(rows, columns, call, seed, pseudorandom):
    spans, outputs = zip(rows, columns, strict=True)
    options = {"pseudorandom": pseudorandom, "seed": seed, "stream": TRAINING}
    found = region_boundaries(spans, outputs, call, **options)
    assert [ends.tolist() for ends in found] == slow_boundaries(spans, outputs, call, **options)
    for ends, span, output in zip(found, spans, outputs, strict=True):
        assert ends.shape == (output + 1,)
        assert (ends[0], ends[-1]) == (0, span)
        assert set(np.diff(ends)) <= {1, 2}


def test_the_largest_maps_do_not_leave_int32():
    spans, outputs = (12_000, 8_001), (10_000, 8_000)
    options = {"pseudorandom": True, "seed": 2**31 - 1, "stream": TRAINING}
    for call in (0, 2**31 - 1):
        found = region_boundaries(spans, outputs, ops.convert_to_tensor(call, dtype="int32"), xp=ops, **options)
        slow = slow_boundaries(spans, outputs, call, **options)
        assert [ops.convert_to_numpy(ends).tolist() for ends in found] == slow


@pytest.mark.parametrize(
    ("pseudorandom", "stream", "call", "rows", "columns"),
    [
        (True, TRAINING, 0, "1212121212121212", "211212121"),
        (True, TRAINING, 1, "1212121212121212", "112121212"),
        (True, INFERENCE, 0, "1212121212121212", "212121121"),
        (True, INFERENCE, 11, "1212121212121212", "121121212"),
        (False, TRAINING, 0, "1121221222121112", "112121212"),
        (False, TRAINING, 123_456, "1211112122122221", "221221111"),
        (False, INFERENCE, 0, "2122211112221112", "122121211"),
        (False, INFERENCE, 11, "2212212111112212", "221112211"),
    ],
)
def test_golden_regions(pseudorandom, stream, call, rows, columns):
    """Sizes of the regions, kept for good: what a network was trained with is what it runs with."""
    found = region_boundaries((24, 13), (16, 9), call, pseudorandom=pseudorandom, seed=2014, stream=stream)
    assert ["".join(map(str, np.diff(ends))) for ends in found] == [rows, columns]


def test_every_offset_happens_as_often_as_it_should():
    """Random sizes are two pixels wide with one probability in every place, and independent of each other."""
    calls = 1500
    drawn = [region_boundaries((34, 34), (25, 25), n, pseudorandom=False, seed=1) for n in range(calls)]
    rows, columns = (np.array([np.diff(ends[axis]) - 1 for ends in drawn]) for axis in (0, 1))
    share = 9 / 25
    five_sigma = 5 * math.sqrt(share * (1 - share) / calls)
    for wide in (rows, columns):
        assert np.abs(wide.mean(0) - share).max() < five_sigma
        assert len({tuple(row) for row in wide}) > calls - 8, "of two million sequences some come again too often"
    neighbours = np.array(
        [np.corrcoef(wide[:, i], wide[:, i + 1])[0, 1] for wide in (rows, columns) for i in range(24)]
    )
    # Without replacement the others are a little less likely: -1/24.
    assert np.abs(neighbours + 1 / 24).max() < 5 / math.sqrt(calls)
    assert abs(np.corrcoef(rows.ravel(), columns.ravel())[0, 1]) < 5 / math.sqrt(rows.size)


def test_pseudorandom_regions_begin_at_every_phase_equally_often():
    calls = 1700
    drawn = [region_boundaries((23, 23), (17, 17), n, pseudorandom=True, seed=1) for n in range(calls)]
    for axis in (0, 1):
        found = np.array([ends[axis] for ends in drawn])
        phases, counts = np.unique(found, axis=0, return_counts=True)
        assert len(phases) == 17
        assert counts.min() > 60
        # Evenly spread: never a pixel away from where the ratio would have it.
        assert np.abs(found - np.arange(18) * 23 / 17).max() < 1
    both = {(tuple(rows), tuple(columns)) for rows, columns in drawn}
    assert len(both) > 17 * 16


def test_seeds_and_streams_have_nothing_in_common():
    def sequence(seed, stream):
        drawn = [
            region_boundaries((34, 34), (25, 25), n, pseudorandom=False, seed=seed, stream=stream) for n in range(300)
        ]
        return np.array([np.diff(ends[0]) for ends in drawn]).ravel()

    sequences = [sequence(*key) for key in ((0, TRAINING), (1, TRAINING), (0, INFERENCE), (2**16, TRAINING))]
    for i, one in enumerate(sequences):
        for other in sequences[:i]:
            assert abs(np.corrcoef(one, other)[0, 1]) < 5 / math.sqrt(one.size)


# The layer


def image(shape=(2, 23, 18, 3)):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def run(layer, x, training=False):
    return ops.convert_to_numpy(layer(ops.convert_to_tensor(x), training=training))


@pytest.mark.parametrize(("overlapping", "pseudorandom"), VARIANTS)
def test_the_layer_takes_maxima_over_the_regions(overlapping, pseudorandom):
    x = image()
    layer = FractionalMaxPooling2D((1.4, 1.7), overlapping=overlapping, pseudorandom=pseudorandom, seed=70_000)
    assert layer.compute_output_shape((None, 23, 18, 3)) == (None, 16, 10, 3)
    spans = (23 - overlapping, 18 - overlapping)
    for training, call, stream in (
        (True, 0, TRAINING),
        (False, 0, INFERENCE),
        (True, 1, TRAINING),
        (True, 2, TRAINING),
    ):
        ends = slow_boundaries(spans, (16, 10), call, pseudorandom=pseudorandom, seed=70_000, stream=stream)
        np.testing.assert_array_equal(run(layer, x, training), slow_pool(x, *ends, overlapping))


def test_all_offsets_of_a_ratio_and_an_output_size():
    for ratio, size in ((1.25, 19), (math.sqrt(2), 16), (2 ** (1 / 3), 19), (2, 12)):
        assert FractionalMaxPooling2D(ratio).compute_output_shape((None, 24, 24, 1))[1:3] == (size, size)
    assert FractionalMaxPooling2D(output_size=17).compute_output_shape((None, 24, 24, 1)) == (None, 17, 17, 1)
    assert FractionalMaxPooling2D(output_size=[17, 13]).compute_output_shape((None, 24, 24, 1))[1:3] == (17, 13)
    # Disjoint regions of one pixel are the image itself.
    x = image()
    np.testing.assert_array_equal(run(FractionalMaxPooling2D(1, overlapping=False), x, True), x)
    # Disjoint ones of two are Keras's own pooling.
    even = image((2, 16, 12, 3))
    expected = run(layers.MaxPooling2D(), even)
    np.testing.assert_array_equal(run(FractionalMaxPooling2D(2, overlapping=False), even, True), expected)


def test_its_state_is_no_weight_and_replays_what_follows():
    layer = FractionalMaxPooling2D(1.4, pseudorandom=False)
    x = image()
    first = [run(layer, x, True) for _ in range(3)]
    assert not np.array_equal(first[1], first[2])
    assert layer.weights == []
    (state,) = layer.variables
    assert np.array_equal(ops.convert_to_numpy(state), [0, 3])
    state.assign([0, 1])
    np.testing.assert_array_equal(run(layer, x, True), first[1])
    before = ops.convert_to_numpy(state)
    run(layer, x)
    assert np.array_equal(ops.convert_to_numpy(state), before), "inference used regions up"


def network(**options):
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((23, 18, 3)),
            layers.Conv2D(4, 2),
            FractionalMaxPooling2D(1.4, **options),
            layers.Flatten(),
            layers.Dense(2, dtype="float32"),
        ]
    )


@pytest.mark.parametrize(
    ("policy", "jit"),
    [
        ("float32", False),
        ("mixed_bfloat16", False),
        # XLA compiles for seconds.
        pytest.param("float32", True, marks=pytest.mark.slow),
        pytest.param("mixed_bfloat16", True, marks=pytest.mark.slow),
    ],
)
def test_it_trains_compiled_at_any_batch_size(policy, jit):
    keras.config.set_dtype_policy(policy)
    try:
        model = network(pseudorandom=False)
    finally:
        keras.config.set_dtype_policy("float32")
    model.compile(keras.optimizers.Adam(0.001), "mse", jit_compile=jit)
    x, y = image((5, 23, 18, 3)), np.array([[0.0, 1.0]] * 5)
    losses = model.fit(x, y, batch_size=3, epochs=4, shuffle=False, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert np.array_equal(ops.convert_to_numpy(model.layers[1].seed_generator.state), [0, 8])
    assert model.layers[1].compute_dtype == ("float32" if policy == "float32" else "bfloat16")
    assert model.predict(x, batch_size=2, verbose=0).shape == (5, 2)


def test_it_is_saved_and_loaded(tmp_path):
    model = network(overlapping=False, pseudorandom=False, seed=9)
    model.save(tmp_path / "a.keras")
    loaded = keras.models.load_model(tmp_path / "a.keras")
    np.testing.assert_array_equal(loaded.predict(image(), verbose=0), model.predict(image(), verbose=0))
    names = ("pool_ratio", "output_size", "overlapping", "pseudorandom", "seed")
    assert [loaded.layers[1].get_config()[name] for name in names] == [1.4, None, False, False, 9]


@needs_tensorflow
@pytest.mark.parametrize(("overlapping", "pseudorandom"), VARIANTS)
def test_the_fast_gradient_is_the_gradient(overlapping, pseudorandom):
    import tensorflow as tf

    x = tf.constant(image())
    spans = (23 - overlapping, 18 - overlapping)
    ends = region_boundaries(spans, (16, 11), 3, pseudorandom=pseudorandom, seed=1)
    gradients = []
    for fast in (False, True):
        boundaries = tuple(ops.convert_to_tensor(axis, dtype="int32") for axis in ends)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = fractional_max_pool(x, boundaries, overlapping=overlapping, fast_gradient=fast)
            loss = tf.reduce_sum(y**3)
        gradients.append(tape.gradient(loss, x).numpy())
    np.testing.assert_allclose(gradients[1], gradients[0], rtol=1e-6)
    assert np.count_nonzero(gradients[1])


@needs_tensorflow
@pytest.mark.parametrize("overlapping", [False, True])
def test_equal_pixels_share_one_gradient(overlapping):
    """The background of an image is flat: each region hands its gradient on once, to one of its pixels."""
    import tensorflow as tf

    x = tf.zeros((1, 12, 12, 1))
    layer = FractionalMaxPooling2D(1.5, overlapping=overlapping)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(layer(x, training=True))
    assert tape.gradient(loss, x).numpy().sum() == 64


# Backends


ANSWERS = """
import json, sys
import numpy as np
from keras import ops
from zoo.layers.fractional import FractionalMaxPooling2D

x = np.random.default_rng(0).permutation(2 * 23 * 18 * 3).reshape(2, 23, 18, 3).astype("float32")
answers = []
for overlapping in (False, True):
    for pseudorandom in (False, True):
        layer = FractionalMaxPooling2D(1.4, overlapping=overlapping, pseudorandom=pseudorandom, seed=2014)
        for training in (True, True, False, True):
            y = layer(ops.convert_to_tensor(x), training=training)
            answers.append(ops.convert_to_numpy(y).astype(int).ravel().tolist())
print(json.dumps(answers))
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["openvino", "tensorflow", "jax", "torch", "numpy"])
def test_every_backend_draws_the_same_regions(backend):
    """Numbers from 0 up, all different: one answer differs as soon as one region does."""
    if backend in ("jax", "torch", "numpy"):
        # Keras's NumPy backend needs JAX.
        pytest.importorskip("torch" if backend == "torch" else "jax")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ANSWERS],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answers = json.loads(done.stdout)
    x = np.random.default_rng(0).permutation(2 * 23 * 18 * 3).reshape(2, 23, 18, 3)
    expected = []
    for overlapping, pseudorandom in VARIANTS:
        spans = (23 - overlapping, 18 - overlapping)
        for stream, call in ((TRAINING, 0), (TRAINING, 1), (INFERENCE, 0), (TRAINING, 2)):
            ends = slow_boundaries(spans, (16, 12), call, pseudorandom=pseudorandom, seed=2014, stream=stream)
            expected.append(slow_pool(x, *ends, overlapping).ravel().tolist())
    assert answers == expected


# What goes wrong


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "either pool_ratio or output_size"),
        ({"pool_ratio": 1.4, "output_size": 3}, "either pool_ratio or output_size"),
        ({"pool_ratio": 1.4, "seed": -1}, "seed is 0 to 2147483647. Received: -1"),
        ({"pool_ratio": 1.4, "seed": 2**31}, "seed is 0 to 2147483647"),
    ],
)
def test_arguments_that_make_no_sense(options, message):
    with pytest.raises(UsageError, match=message):
        FractionalMaxPooling2D(**options)


@pytest.mark.parametrize(
    ("options", "shape", "message"),
    [
        ({"pool_ratio": 2.5}, (None, 20, 20, 1), "2 or 3 pixels a side, and 8×8 such regions do not fit 20×20 pixels"),
        ({"pool_ratio": 1}, (None, 20, 20, 1), "20×20 such regions do not fit"),
        ({"pool_ratio": 2, "overlapping": False}, (None, 21, 20, 1), "1 or 2 pixels a side, and 10×10"),
        ({"output_size": (10, 0)}, (None, 20, 20, 1), "10×0 such regions"),
        ({"pool_ratio": 1.4}, (None, None, 20, 1), "height and width known"),
        ({"pool_ratio": 1.4}, (None, 20, 20), r"takes \(batch, height, width, channels\)"),
    ],
)
def test_sizes_that_regions_cannot_tile(options, shape, message):
    with pytest.raises(UsageError, match=message):
        FractionalMaxPooling2D(name="pool3", **options).compute_output_shape(shape)
