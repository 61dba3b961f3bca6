"""Explanations as arrays, one function a method; :func:`zoo.visualize.explain.explain.explain` gives whole records, lazily.

All take the same images: files, folders, or arrays, one or several. An array of the network's own shape
(height, width, channels) is taken as it is; other uint8 arrays are resized like files. Each gives float32
(n, height, width) at the size that the network takes, 0 or more: evidence for the class ``target`` (a name, a WordNet
id or an index), or without for the most probable class of each image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.core.errors import ImageError
from zoo.images.inputs import Inputs
from zoo.visualize.explain.explain import explain, opened
from zoo.visualize.network.subject import Subject

if TYPE_CHECKING:
    import keras


def gradcam(
    model: str | Subject | keras.Model | None,
    images: Inputs,
    *,
    target: str | int | None = None,
    layer: str | None = None,
) -> np.ndarray:
    """Grad-CAM; see :class:`zoo.visualize.explain.methods.gradcam.GradCam`.

    >>> gradcam("mobilenetv2", "photos/", target="American dipper").shape
    (12, 224, 224)

    Raises:
        ImageError: an image cannot be read.
        UsageError: an unknown network, class or layer.
        UnavailableError: weights are not to be had, or the network has no gradients.
    """
    return _maps(model, images, "gradcam", target, layer=layer)


def gradcam_plus_plus(
    model: str | Subject | keras.Model | None,
    images: Inputs,
    *,
    target: str | int | None = None,
    layer: str | None = None,
) -> np.ndarray:
    """Grad-CAM++; see :class:`zoo.visualize.explain.methods.gradcam_plus_plus.GradCamPlusPlus`, and :func:`gradcam`."""
    return _maps(model, images, "gradcam++", target, layer=layer)


def hirescam(
    model: str | Subject | keras.Model | None,
    images: Inputs,
    *,
    target: str | int | None = None,
    layer: str | None = None,
) -> np.ndarray:
    """HiResCAM; see :class:`zoo.visualize.explain.methods.hirescam.HiResCam`, and :func:`gradcam`."""
    return _maps(model, images, "hirescam", target, layer=layer)


def layercam(
    model: str | Subject | keras.Model | None,
    images: Inputs,
    *,
    target: str | int | None = None,
    layer: str | None = None,
) -> np.ndarray:
    """Layer-CAM; see :class:`zoo.visualize.explain.methods.layercam.LayerCam`, and :func:`gradcam`."""
    return _maps(model, images, "layercam", target, layer=layer)


def scorecam(
    model: str | Subject | keras.Model | None,
    images: Inputs,
    *,
    target: str | int | None = None,
    layer: str | None = None,
) -> np.ndarray:
    """Score-CAM; see :class:`zoo.visualize.explain.methods.scorecam.ScoreCam`, and :func:`gradcam`."""
    return _maps(model, images, "scorecam", target, layer=layer)


def eigencam(
    model: str | Subject | keras.Model | None,
    images: Inputs,
    *,
    target: str | int | None = None,
    layer: str | None = None,
) -> np.ndarray:
    """Eigen-CAM; see :class:`zoo.visualize.explain.methods.eigencam.EigenCam`, and :func:`gradcam`."""
    return _maps(model, images, "eigencam", target, layer=layer)


def saliency(
    model: str | Subject | keras.Model | None, images: Inputs, *, target: str | int | None = None
) -> np.ndarray:
    """The plain gradient; see :class:`zoo.visualize.explain.methods.saliency.Saliency`, and :func:`gradcam`."""
    return _maps(model, images, "saliency", target)


def smoothgrad(
    model: str | Subject | keras.Model | None,
    images: Inputs,
    *,
    target: str | int | None = None,
    **settings: Any,
) -> np.ndarray:
    """SmoothGrad; its settings are those of :class:`zoo.visualize.explain.methods.smoothgrad.SmoothGrad`."""
    return _maps(model, images, "smoothgrad", target, **settings)


def integrated_gradients(
    model: str | Subject | keras.Model | None,
    images: Inputs,
    *,
    target: str | int | None = None,
    **settings: Any,
) -> np.ndarray:
    """Integrated gradients, those against the class left out.

    Its settings are those of :class:`zoo.visualize.explain.methods.integrated_gradients.IntegratedGradients`.
    """
    return _maps(model, images, "integratedgradients", target, **settings)


def guided_backpropagation(
    model: str | Subject | keras.Model | None, images: Inputs, *, target: str | int | None = None
) -> np.ndarray:
    """Guided backpropagation; see :class:`zoo.visualize.explain.methods.guided_backpropagation.GuidedBackpropagation`."""
    return _maps(model, images, "guidedbackprop", target)


def occlusion(
    model: str | Subject | keras.Model | None,
    images: Inputs,
    *,
    target: str | int | None = None,
    **settings: Any,
) -> np.ndarray:
    """Occlusion; its settings are those of :class:`zoo.visualize.explain.methods.occlusion.Occlusion`."""
    return _maps(model, images, "occlusion", target, **settings)


def _maps(
    model: str | Subject | keras.Model | None,
    images: Inputs,
    method: str,
    target: str | int | None,
    **settings: Any,
) -> np.ndarray:
    """The maps of all images; the first one that cannot be read ends it."""
    subject = opened(model)
    maps = []
    for record in explain(subject, images, method=method, target=target, faithfulness=False, **settings):
        if record.error is not None:
            raise ImageError(f"{record.path}: {record.error}.")
        maps.append(record.explanations[0].map)
    return np.stack(maps) if maps else np.empty((0, *subject.input_shape[:2]), "float32")
