"""Images of what filters, neurons and classes respond to, in networks of which that is known."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from tests.visualize.networks import fine_tuned, of_quadrants, quadrant
from zoo.catalog import labels, registry
from zoo.core.errors import UsageError
from zoo.models import create_model
from zoo.visualize import maximize
from zoo.visualize.network.inspected_model import InspectedModel
from zoo.visualize.synthesis import objectives, transformations
from zoo.visualize.synthesis.maximize import Maximizer


@pytest.fixture(scope="module")
def colours():
    """Filters that are red and not, and a class that is the green of a quarter."""
    pixels = keras.Input((32, 32, 3))
    kernel = np.zeros((1, 1, 3, 3), "float32")
    kernel[0, 0] = [[1, -1, 0], [-1, 0, 1], [-1, 0, 0]]
    x = layers.Conv2D(3, 1, use_bias=False, name="colour")(layers.Rescaling(1 / 255)(pixels))
    mask = quadrant(0, 1, 32)[None, :, :, None]
    logits = layers.GlobalAveragePooling2D(name="logits")(layers.ReLU(name="seen")(x) * mask)
    network = keras.Model(pixels, layers.Softmax()(logits))
    network.get_layer("colour").set_weights([kernel])
    return InspectedModel(network)


def made(subject, *, layer=None, filters=None, neurons=None, classes=None, **settings):
    chosen = objectives.choose(subject, layer=layer, filters=filters, neurons=neurons, classes=classes)
    return list(Maximizer(subject, chosen, **{"steps": 40, "size": 32, **settings}).run())


def test_a_filter_gets_its_colour_everywhere(colours):
    red, cyan = made(colours, layer="colour", filters="0,1")
    middle = red.pixels[4:-4, 4:-4].astype(int)
    assert (middle[..., 0] > middle[..., 1] + 60).all() and (middle[..., 0] > middle[..., 2] + 40).all()
    assert (cyan.pixels.astype(int)[4:-4, 4:-4, 0] < 100).all()
    assert red.activation == pytest.approx((red.pixels @ np.array([1.0, -1, -1]) / 255).mean(), abs=1e-4)
    assert red.activation > red.noise_activation + 0.3 and red.ratio is None


def test_a_class_gets_it_where_the_class_is(colours):
    (found,) = made(colours, classes=[2])
    green = found.pixels[..., 1].astype(float)
    assert green[:14, 18:].mean() > 200 and abs(green[18:, :14].mean() - 127) < 45
    assert found.ratio == pytest.approx(found.activation / found.noise_activation) and found.ratio > 1.5


def test_a_neuron_gets_it_at_its_place(colours, monkeypatch):
    for name in ("PAD", "JITTER", "SCALE", "ROTATE", "NOISE"):
        monkeypatch.setattr(transformations, name, 0.0)
    (found,) = made(colours, layer="colour", neurons=["2@8,24"])
    green = found.pixels[..., 1].astype(int)
    assert np.unravel_index(green.argmax(), green.shape) == (8, 24) and green[8, 24] > 180
    assert np.median(green) == pytest.approx(127, abs=8)
    assert found.activation == pytest.approx(green[8, 24] / 255, abs=1e-4)


def test_a_silent_filter_is_woken():
    """Its ReLU is 0 on whatever is faint, where it has no slope."""
    pixels = keras.Input((32, 32, 3))
    x = layers.Conv2D(2, 3, activation="relu", name="deaf", bias_initializer=keras.initializers.Constant(-0.5))(
        layers.Rescaling(1 / 255, offset=-0.5)(pixels)
    )
    network = keras.Model(pixels, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))
    kernel = np.zeros((3, 3, 3, 2))
    kernel[:, :, 0, 0] = kernel[:, :, 1, 1] = 0.3
    network.get_layer("deaf").kernel.assign(kernel)
    for found in made(InspectedModel(network), layer="deaf", filters="all"):
        assert found.activation > 10 * found.noise_activation and found.activation > 0.05


def test_a_dead_filter_is_said_to_be_silent():
    pixels = keras.Input((32, 32, 3))
    x = layers.Conv2D(2, 3, name="half")(pixels)
    network = keras.Model(pixels, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))
    network.get_layer("half").kernel.assign(np.array([0.0, 0.01]) * np.ones((3, 3, 3, 2)))
    dead, alive = made(InspectedModel(network), layer="half", filters="all", steps=5)
    assert (dead.silent, alive.silent) == (True, False)
    assert np.abs(dead.pixels.astype(int) - 127).max() < 25


def test_a_image_does_not_depend_on_the_others():
    subject = InspectedModel(fine_tuned(nested=True))
    together = made(subject, layer="head", filters="1,5,7", batch_size=3, steps=20)
    alone = made(subject, layer="head", filters="5", steps=20)
    apart = made(subject, layer="head", filters="1,5,7", batch_size=2, steps=20)
    for other in (alone[0], apart[1]):
        assert np.abs(together[1].pixels.astype(int) - other.pixels).mean() < 2
    assert np.abs(together[1].pixels.astype(int) - together[2].pixels).mean() > 10


def test_the_seed_decides():
    subject = InspectedModel(fine_tuned(nested=True))
    first, same, other = (made(subject, classes=[0], seed=seed, steps=3)[0].pixels for seed in (3, 3, 4))
    assert (first == same).all() and (first != other).any()


def test_batches_hold_what_fits_and_the_rest(monkeypatch):
    subject = InspectedModel(fine_tuned(nested=False))
    chosen = objectives.choose(subject, layer="head", filters="0-6")
    maximizer = Maximizer(subject, chosen, steps=2, size=32, batch_size=4)
    assert (maximizer.batches, maximizer.batch_size) == (2, 4)
    steps: list[int] = []
    found = list(maximizer.run(steps.append))
    assert [one.target.index for one in found] == list(range(7)) and steps == [1, 2, 3, 4]
    monkeypatch.setattr("zoo.visualize.synthesis.maximize.MEMORY", 3 * maximizer.computed.bytes)
    assert Maximizer(subject, chosen, steps=2, size=32).batch_size == 3


def test_64_filters_are_one_batch():
    subject = InspectedModel(create_model("mobilenetv2", None))
    chosen = objectives.choose(subject, layer="block_13_expand_relu", filters="0-63")
    maximizer = Maximizer(subject, chosen)
    assert (maximizer.batches, maximizer.batch_size, maximizer.size) == (1, 64, 128)


def test_images_of_one_class_differ():
    subject = InspectedModel(of_quadrants(quadrant(0, 0), quadrant(1, 1)))
    settings = {"classes": [0], "size": 64, "steps": 30}
    both = made(subject, diversity=2, **settings)
    assert [one.variant for one in both] == [0, 1]
    assert np.abs(both[0].pixels.astype(int) - both[1].pixels).mean() > 5
    with pytest.raises(UsageError, match="make --batch-size 2"):
        made(subject, diversity=2, batch_size=1, **settings)


def test_frames_are_kept_as_it_grows(colours):
    chosen = objectives.choose(colours, layer="colour", filters="0")
    (found,) = Maximizer(colours, chosen, steps=40, size=32).run(frames=6)
    assert found.frames.shape == (6, 32, 32, 3)
    assert (found.frames[-1] == found.pixels).all()
    contrast = [frame.std() for frame in found.frames.astype(float)]
    assert contrast[-1] > 3 * contrast[0]
    assert found.without_frames().frames is None


def test_a_grey_network_gives_grey_images():
    subject = InspectedModel(of_quadrants(quadrant(0, 0, 32), channels=1))
    (found,) = made(subject, classes=[0])
    assert found.pixels.shape == (32, 32, 3) and (found.pixels == found.pixels[..., :1]).all()


def test_channels_that_no_image_has_are_refused():
    with pytest.raises(UsageError, match="takes 5 channels"):
        made(InspectedModel(of_quadrants(quadrant(0, 0, 32), channels=5)), classes=[0])


def test_from_python(colours):
    assert maximize(colours, layer="colour", filters=[0, 2], size=40, steps=2).shape == (2, 40, 40, 3)
    assert maximize(colours, classes=["1"], steps=1).shape == (1, 128, 128, 3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vgg16", "resnet50", "inceptionv3", "xception", "mobilenetv2"])
def test_families(name):
    """With random weights: that it runs to a late layer, and upwards."""
    keras.utils.set_random_seed(0)
    subject = InspectedModel(create_model(name, None, input_shape=(96, 96, 3)))
    layer = registry.get(name).stages[2].layer
    (found,) = made(subject, layer=layer, filters="3", size=64, steps=4)
    assert found.pixels.shape == (64, 64, 3) and not found.silent


@pytest.fixture(scope="module")
def real(request):
    """Real weights; where they are imported from is beside the tests, not in a person's cache."""
    folder = request.getfixturevalue("real_data") / "weights"
    files = {"mobilenetv2": "mobilenetv2_1.0_224.weights.h5", "squeezenet1.1": "squeezenet1_1.npz"}
    return lambda name: InspectedModel(create_model(name, folder / files[name]), labels.load("imagenet"))


@pytest.mark.slow
@pytest.mark.real
def test_filters_are_raised_tenfold_over_noise(real):
    """The typical filter of late layers; ReLU6 lets none of the first network be above 6."""
    for name, layer in (("mobilenetv2", "block_13_expand_relu"), ("squeezenet1.1", "fire9_concat")):
        found = made(real(name), layer=layer, filters="0-8", size=96, steps=40)
        ratios = [np.inf if one.ratio is None else one.ratio for one in found]
        assert np.median(ratios) > 10, (name, ratios)


@pytest.mark.slow
@pytest.mark.real
def test_a_class_is_raised_tenfold_and_is_what_the_network_answers(real):
    """The image, shown as any other, is the class it was made for; and has little fine noise."""
    subject = real("mobilenetv2")
    wanted = ["goldfish", "volcano"]
    found = made(subject, classes=wanted, size=224, steps=40)
    assert all(one.ratio > 10 for one in found), [one.ratio for one in found]
    probabilities = subject.predict(np.stack([one.pixels for one in found]))
    assert [subject.label(index) for index in probabilities.argmax(axis=1)] == wanted
    for one in found:
        assert np.abs(np.diff(one.pixels.astype(float), axis=1)).mean() < 0.3 * one.pixels.std()
