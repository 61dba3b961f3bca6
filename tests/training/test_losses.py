"""Losses: by their equations, and by the names that recipes give them."""

import keras
import numpy as np
import pytest
from keras import ops

from zoo.core.errors import UsageError
from zoo.training import learner, losses
from zoo.training.distillation_loss import DistillationLoss
from zoo.training.losses import LOSSES
from zoo.training.margin_loss import margin_loss


def slow_margin(present, lengths):
    """Equation 4 of arXiv 1710.09829, class by class."""
    total = 0.0
    for t, v in zip(present, lengths, strict=True):
        total += t * max(0, 0.9 - v) ** 2 + 0.5 * (1 - t) * max(0, v - 0.1) ** 2
    return total


def test_margin_loss_is_the_equation():
    rng = np.random.default_rng(0)
    lengths = rng.uniform(size=(50, 10)).astype("float32")
    labels = np.eye(10, dtype="float32")[rng.integers(0, 10, 50)]
    # Several things at once, and nothing at all.
    labels[0], labels[1] = 1, 0
    expected = [slow_margin(*pair) for pair in zip(labels, lengths, strict=True)]
    found = ops.convert_to_numpy(margin_loss(labels, ops.convert_to_tensor(lengths)))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert float(losses.get("margin")(labels, lengths)) == pytest.approx(np.mean(expected), rel=1e-5)


def test_margin_loss_has_dead_zones():
    labels = np.array([[1.0, 0.0]], "float32")
    assert float(losses.get("margin")(labels, np.array([[0.95, 0.05]], "float32"))) == 0
    assert float(losses.get("margin")(labels, np.array([[0.4, 0.6]], "float32"))) == pytest.approx(0.25 + 0.5 * 0.25)


@pytest.mark.parametrize("name", ["crossentropy", "margin"])
def test_smoothing_spreads_a_share_of_the_label(name):
    labels = np.array([[1.0, 0.0, 0.0, 0.0]], "float32")
    scores = np.array([[0.7, 0.1, 0.15, 0.05]], "float32")
    smoothed = np.array([[0.925, 0.025, 0.025, 0.025]], "float32")
    assert float(losses.get(name, 0.1)(labels, scores)) == pytest.approx(float(losses.get(name)(smoothed, scores)))


def test_crossentropy_takes_probabilities_and_mse_images():
    labels, scores = np.array([[0.0, 1.0]], "float32"), np.array([[0.75, 0.25]], "float32")
    assert float(losses.get("crossentropy")(labels, scores)) == pytest.approx(-np.log(0.25))
    drawn, meant = np.full((2, 4, 4, 1), 0.5, "float32"), np.zeros((2, 4, 4, 1), "float32")
    assert float(losses.get("mse")(meant, drawn)) == pytest.approx(0.25)


@pytest.mark.parametrize("name", list(LOSSES))
def test_a_compiled_network_is_loaded_with_its_loss(name, tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="sigmoid")])
    model.compile("sgd", losses.get(name, 0.0 if name == "mse" else 0.2))
    x, y = np.ones((4, 3), "float32"), np.eye(2, dtype="float32")[[0, 1, 1, 0]]
    model.save(tmp_path / "a.keras")
    assert keras.models.load_model(tmp_path / "a.keras").evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)


@pytest.mark.parametrize(
    ("name", "smoothing", "message"),
    [
        ("margn", 0, "no loss 'margn'; it is one of crossentropy, margin, mse. Did you mean 'margin'?"),
        ("cross-entropy", 0, "Did you mean 'crossentropy'?"),
        ("hinge", 0, "no loss 'hinge'"),
        ("mse", 0.1, "the loss mse has none. Received: 0.1"),
    ],
)
def test_what_makes_no_sense(name, smoothing, message):
    with pytest.raises(UsageError) as caught:
        losses.get(name, smoothing)
    assert message in str(caught.value)


def test_distillation_is_the_equation():
    rng = np.random.default_rng(0)
    teacher, network = (rng.dirichlet(np.ones(5), 20).astype("float32") for _ in range(2))
    labels = np.eye(5, dtype="float32")[rng.integers(0, 5, 20)]
    alpha, temperature = 0.3, 4.0

    def softened(p):
        p = p ** (1 / temperature)
        return p / p.sum(1, keepdims=True)

    t, n = softened(teacher.astype("float64")), softened(network.astype("float64"))
    apart = (t * np.log(t / n)).sum(1)
    own = -(labels * np.log(network)).sum(1)
    expected = (1 - alpha) * own + alpha * temperature**2 * apart
    loss = DistillationLoss(losses.get("crossentropy"), alpha, temperature)
    found = ops.convert_to_numpy(loss.call(np.concatenate([labels, teacher], 1), ops.convert_to_tensor(network)))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


def test_a_student_that_says_what_its_teacher_says_loses_nothing():
    p = np.random.default_rng(1).dirichlet(np.ones(4), 6).astype("float32")
    loss = DistillationLoss(losses.get("crossentropy"), 1.0, 3.0)
    found = loss.call(np.concatenate([np.eye(4, dtype="float32")[[0] * 6], p], 1), ops.convert_to_tensor(p))
    np.testing.assert_allclose(ops.convert_to_numpy(found), 0, atol=1e-5)


def test_the_teachers_columns_do_not_count_as_labels():
    y = np.array([[1, 0, 0.1, 0.9], [0, 1, 0.1, 0.9]], "float32")
    p = ops.convert_to_tensor(np.array([[0.8, 0.2], [0.7, 0.3]], "float32"))
    assert ops.convert_to_numpy(learner.top1(y, p)).tolist() == [1.0, 0.0]
