"""Feature extraction as a scikit-learn transformer: from images to feature vectors.

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

#: The extractor of each transformer, and the key that it was created for. It is not part of the transformer, so that
#: copies and pickles create their own when they first need one.
_running: WeakKeyDictionary[ImageFeatures, tuple[str, Extractor]] = WeakKeyDictionary()


class ImageFeatures(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Feature vectors of images: the output of a network before its classifier, or of any layer; one row an image.

    Nothing is trained. :meth:`fit` records the network, so that a fitted pipeline uses the same network with the same
    weights wherever it is loaded, or refuses. Engines start with the first image and are not pickled.

    Attributes:
        about_: the attributes of the vectors, as in a file of ``zoo features``.
        model_: the network's name.
        n_features_out_: length of a row.
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
        """Store the parameters; nothing is loaded or checked yet.

        Args:
            model: a name, ``NAME:TAG``, or a ``.keras`` file. Default: the default network.
            layer: name of a layer or a stage. Default: the end of the network without its classifier.
            pool: pooling of a feature map: ``"avg"`` or ``"max"`` over rows and columns, or ``"flatten"``.
            normalize: whether each vector is divided by its L2 norm.
            device: as for :class:`zoo.inference.features.Extractor`, like the next three.
            engine: see there.
            batch_size: see there.
            offline: see there.
            errors: for an image that cannot be read: ``"raise"`` an ImageError, or give a row of ``"nan"``.
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
        """Check the parameters and the type of ``X``, and record the network. No image is read.

        Args:
            X: as for :meth:`transform`.
            y: not used.

        Raises:
            UsageError: a parameter or X is invalid, or the network has no such layer.
            UnavailableError: weights or device are unavailable.
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
        """The feature vectors of images, in order.

        Args:
            X: paths or URLs: a list, an array (n,) or (n, 1), or one column of a data frame; or pixels: uint8 RGB
                (n, height, width, 3), grey (n, height, width), or a list of arrays of any sizes.

        Returns:
            float32 (n, ``n_features_out_``).

        Raises:
            UsageError: X is invalid, or the network is not the one of :meth:`fit`.
            ImageError: an image cannot be read, and ``errors`` is ``"raise"``.
            UnavailableError: weights or device are unavailable.
        """
        return self._rows(self._extractor(), _images(X))

    @property
    def _n_features_out(self) -> int:
        """Number of columns, which scikit-learn names."""
        known: int | None = getattr(self, "n_features_out_", None)
        return _width(self._extractor()) if known is None else known

    def _extractor(self) -> Extractor:
        """The extractor for the current parameters and the recorded network."""
        key = self._key()
        known = _running.get(self)
        if known is not None and known[0] == key:
            return known[1]
        if self.errors not in ("raise", "nan"):
            raise UsageError(f"errors is 'raise' or 'nan'. Received: {self.errors!r}")
        if self.pool == "none":
            raise UsageError("Expected one of avg, max, flatten for pool, because a row is a vector. Received: 'none'")
        run = {name: getattr(self, name) for name in ("device", "engine", "batch_size", "offline")}
        if hasattr(self, "about_"):
            extractor = Extractor.from_attributes(self.about_, **run)
        else:
            extractor = Extractor(self.model, layer=self.layer, pool=self.pool, normalize=self.normalize, **run)
        _running[self] = (key, extractor)
        return extractor

    def _key(self) -> str:
        """Everything that the extractor depends on."""
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
    """The length of a vector, measured with a black image."""
    black = np.zeros((*extractor.spec.input_size, 3), np.uint8)
    return int(extractor.extract(black).vectors.shape[1])


def _images(images: Any) -> list[Source]:
    """One source for each image; a UsageError if there are none, or something else."""
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
        # One column as a list of lists.
        item = item[0] if len(item) == 1 else item
    if isinstance(item, np.ndarray) and item.dtype == np.uint8:
        return Source.from_array(item, name=f"image {number}")
    if not isinstance(item, str | bytes | os.PathLike):
        raise UsageError(f"X[{number}] is neither a path nor uint8 pixels, but {type(item).__name__}: {str(item)[:60]}")
    path = os.fsdecode(item)
    # A URL may be refused; a folder or a glob is not expanded.
    return next(discovery.find([path])) if "://" in path else Source(path)
