"""Vectors of images as a step of scikit-learn: a transformer from paths or pixels to columns of numbers.

>>> from sklearn.linear_model import LogisticRegression
>>> from sklearn.pipeline import make_pipeline
>>> from zoo.sklearn import ImageFeatures
>>> model = make_pipeline(ImageFeatures("mobilenetv2"), LogisticRegression(max_iter=1000))
>>> model.fit(paths, labels).predict(["photo.jpg"])
"""

from __future__ import annotations

import json
import os
from typing import Any, Literal, Self
from weakref import WeakKeyDictionary

import numpy as np

from zoo.core.errors import ImageError, UnavailableError, UsageError
from zoo.images import discovery
from zoo.images.source import Source
from zoo.inference.features import Extractor, Pool

try:
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
except ImportError as error:
    raise UnavailableError("zoo.sklearn needs scikit-learn: pip install 'keras-zoo[sklearn]'.") from error

Errors = Literal["raise", "nan"]

#: What extracts for each transformer, and what it was started for. It is no part of a transformer, so that copies and
#: pickles have none: each starts its own when it is first needed.
_running: WeakKeyDictionary[ImageFeatures, tuple[str, Extractor]] = WeakKeyDictionary()


class ImageFeatures(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """What a network makes of images, before its classifier or at any layer; a row for each image.

    It learns nothing. :meth:`fit` chooses the network and notes it, so that a fitted pipeline uses the same network
    with the same weights wherever it is loaded, or refuses. Engines start with the first image and are not pickled.

    Attributes:
        about_: what makes the vectors, as a file of ``zoo features`` has it.
        model_: the network's name.
        n_features_out_: numbers in a row.
        n_features_in_: 1, the image.
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        layer: str | None = None,
        pool: Pool = "avg",
        normalize: bool = False,
        device: str = "auto",
        engine: str = "auto",
        batch_size: int | None = None,
        offline: bool | None = None,
        errors: Errors = "raise",
    ) -> None:
        """Nothing is loaded or checked yet.

        Args:
            model: a name, ``NAME:TAG``, or a ``.keras`` file; the default network without.
            layer: a layer or a stage by name; the end of the network without its classifier without.
            pool: what becomes of a map: its mean (``"avg"``) or maximum (``"max"``) over rows and columns, or all of it
                in one line (``"flatten"``).
            normalize: whether each vector is divided by its length (L2).
            device: as for :class:`zoo.inference.features.Extractor`; so are ``engine``, ``batch_size`` and ``offline``.
            engine: see there.
            batch_size: see there.
            offline: see there.
            errors: what an image that cannot be read does: ``"raise"`` an ImageError that names it, or give a row of
                ``"nan"``.
        """
        self.model = model
        self.layer = layer
        self.pool = pool
        self.normalize = normalize
        self.device = device
        self.engine = engine
        self.batch_size = batch_size
        self.offline = offline
        self.errors = errors

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803 - scikit-learn calls it so
        """Check the images' form and the parameters, and note the network. No image is read.

        Args:
            X: as for :meth:`transform`.
            y: not used.

        Raises:
            UsageError: a parameter or X is no such thing, or the network has no such layer.
            UnavailableError: weights or device are not to be had.
        """
        _images(X)
        for name in ("about_", "model_", "n_features_out_"):
            self.__dict__.pop(name, None)
        extractor = self._extractor()
        self.n_features_out_ = _width(extractor)
        self.about_ = extractor.about
        self.model_ = extractor.spec.name
        self.n_features_in_ = 1
        _running[self] = (self._key(), extractor)
        return self

    def transform(self, X: Any) -> np.ndarray:  # noqa: N803 - scikit-learn calls it so
        """The vectors of images, in order.

        Args:
            X: paths or addresses: a list, an array (n,) or (n, 1), or one column of a data frame; or pixels: uint8 RGB
                (n, height, width, 3), grey (n, height, width), or a list of arrays of any sizes.

        Returns:
            float32 (n, ``n_features_out_``).

        Raises:
            UsageError: X is no such thing, or the network is not the one that was there in :meth:`fit`.
            ImageError: an image cannot be read, and ``errors`` is ``"raise"``.
            UnavailableError: weights or device are not to be had.
        """
        return self._rows(self._extractor(), _images(X))

    @property
    def _n_features_out(self) -> int:
        """Columns, for the names that scikit-learn gives them."""
        known: int | None = getattr(self, "n_features_out_", None)
        return _width(self._extractor()) if known is None else known

    def _extractor(self) -> Extractor:
        """What computes: started anew where parameters have changed since, as of a fitted one its network has not."""
        key = self._key()
        known = _running.get(self)
        if known is not None and known[0] == key:
            return known[1]
        if self.errors not in ("raise", "nan"):
            raise UsageError(f"errors is 'raise' or 'nan'. Received: {self.errors!r}")
        if self.pool == "none":
            raise UsageError("A row of numbers has no place for a map: pool is 'avg', 'max' or 'flatten'.")
        run = {name: getattr(self, name) for name in ("device", "engine", "batch_size", "offline")}
        if hasattr(self, "about_"):
            extractor = Extractor.from_attributes(self.about_, **run)
        else:
            extractor = Extractor(self.model, layer=self.layer, pool=self.pool, normalize=self.normalize, **run)
        _running[self] = (key, extractor)
        return extractor

    def _key(self) -> str:
        """All that decides which extractor it takes."""
        return json.dumps([self.get_params(), getattr(self, "about_", None)], default=str, sort_keys=True)

    def _rows(self, extractor: Extractor, images: list[Source]) -> np.ndarray:
        rows: list[np.ndarray | None] = []
        for source, output in extractor.stream(images):
            if isinstance(output, ImageError):
                if self.errors == "raise":
                    raise ImageError(f"{source.path} cannot be read: {output}.")
                rows.append(None)
            else:
                rows.append(output["features"])
        failed = any(row is None for row in rows)
        nothing = np.full(self._n_features_out if failed else 0, np.nan, np.float32)
        return np.stack([nothing if row is None else row for row in rows])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []
        tags.requires_fit = False
        return tags


def _width(extractor: Extractor) -> int:
    """How long its rows are: that of a black image."""
    black = np.zeros((*extractor.spec.input_size, 3), np.uint8)
    return int(extractor.extract(black).vectors.shape[1])


def _images(images: Any) -> list[Source]:
    """A source for each image, whatever form they have.

    Raises:
        UsageError: they are no images, or there are none.
    """
    if isinstance(images, str | bytes | os.PathLike):
        raise UsageError(f"X is a list of images; put the only one in brackets: [{os.fsdecode(images)!r}].")
    if isinstance(images, np.ndarray) and images.dtype == np.uint8 and images.ndim in (3, 4):
        if images.ndim == 3 and images.shape[2] in (1, 3, 4):
            raise UsageError(f"X is a batch of images, and {images.shape} is one; put it in a list.")
        items = list(images)
    elif isinstance(images, list | tuple):
        items = list(images)
    else:
        items = _column(images)
    if not items:
        raise UsageError("X holds no images: 0 samples, where at least 1 is needed.")
    return [_source(item, number) for number, item in enumerate(items)]


def _column(values: Any) -> list[Any]:
    """The paths in an array or a data frame."""
    if hasattr(values, "tocsr"):
        raise UsageError(f"X is a list of images; sparse input is not supported. Received: {type(values).__name__}")
    array = np.asarray(values)
    if array.dtype.kind not in "OU" or array.ndim not in (1, 2) or array.shape[1:] not in ((), (1,)):
        raise UsageError(
            "X is a list of paths, an array of them (n,) or (n, 1), or uint8 images (n, height, width, 3), not "
            f"{type(values).__name__} of {array.dtype} and shape {array.shape}."
        )
    return list(array.reshape(-1))


def _source(item: Any, number: int) -> Source:
    if isinstance(item, list | tuple | np.ndarray) and not (isinstance(item, np.ndarray) and item.dtype == np.uint8):
        # A table of one column as a list of lists.
        item = item[0] if len(item) == 1 else item
    if isinstance(item, np.ndarray) and item.dtype == np.uint8:
        return Source.from_array(item, name=f"image {number}")
    if not isinstance(item, str | bytes | os.PathLike):
        raise UsageError(f"X[{number}] is neither a path nor uint8 pixels, but {type(item).__name__}: {str(item)[:60]}")
    path = os.fsdecode(item)
    # An address may be refused; a folder or a pattern is no image, and not several either.
    return next(discovery.find([path])) if "://" in path else Source(path)
