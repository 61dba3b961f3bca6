"""The table of explanation methods; each is implemented in a file of this folder.

To add a method, write a file with a subclass of :class:`zoo.visualize.explain.base.Method` and add a row here. The
command line, its help, ``zoo.visualize.<file name>()`` and the pages derive from the row.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from zoo.core.errors import UsageError
from zoo.core.suggestions import did_you_mean


@dataclass(frozen=True)
class MethodRow:
    """A method: how it is called, and where it is implemented. Nothing is imported until :meth:`load`."""

    #: Value of ``--method``.
    name: str
    title: str
    #: ``FILE:CLASS``; the file's name is also that of the function in :mod:`zoo.visualize`.
    implementation: str
    #: The command of ``zoo visualize`` that offers it.
    command: str
    paper: str
    summary: str
    aliases: tuple[str, ...] = ()

    @property
    def function(self) -> str:
        """The name of the function in :mod:`zoo.visualize`."""
        return self.implementation.partition(":")[0]

    def load(self) -> Any:
        """Import the class, a subclass of :class:`zoo.visualize.explain.base.Method`."""
        module, _, name = self.implementation.partition(":")
        return getattr(importlib.import_module(f"{__name__}.{module}"), name)


#: By name, in the order in which a sheet of all shows them.
METHODS: dict[str, MethodRow] = {
    row.name: row
    for row in (
        MethodRow(
            name="gradcam",
            title="Grad-CAM",
            implementation="gradcam:GradCam",
            command="gradcam",
            paper="Selvaraju et al. 2017, arXiv:1610.02391",
            summary="channels of a layer, weighted by their mean gradient",
        ),
        MethodRow(
            name="gradcam++",
            title="Grad-CAM++",
            implementation="gradcam_plus_plus:GradCamPlusPlus",
            command="gradcam",
            paper="Chattopadhyay et al. 2018, arXiv:1710.11063",
            summary="as Grad-CAM, with a weight for each place, so that several objects of a class all show",
            aliases=("gradcamplusplus",),
        ),
        MethodRow(
            name="hirescam",
            title="HiResCAM",
            implementation="hirescam:HiResCam",
            command="gradcam",
            paper="Draelos and Carin 2020, arXiv:2011.08891",
            summary="each activation of a layer times its own gradient",
        ),
        MethodRow(
            name="layercam",
            title="Layer-CAM",
            implementation="layercam:LayerCam",
            command="gradcam",
            paper="Jiang et al. 2021, IEEE Transactions on Image Processing 30",
            summary="as HiResCAM, with positive gradients only; suits early layers too",
        ),
        MethodRow(
            name="scorecam",
            title="Score-CAM",
            implementation="scorecam:ScoreCam",
            command="gradcam",
            paper="Wang et al. 2020, arXiv:1910.01279",
            summary="channels, weighted by the class's probability when the image is masked by them; no gradient",
        ),
        MethodRow(
            name="eigencam",
            title="Eigen-CAM",
            implementation="eigencam:EigenCam",
            command="gradcam",
            paper="Muhammad and Yeasin 2020, arXiv:2008.00299",
            summary="the first principal component of a layer's activations, *whatever the class*",
        ),
        MethodRow(
            name="saliency",
            title="Saliency",
            implementation="saliency:Saliency",
            command="saliency",
            paper="Simonyan et al. 2013, arXiv:1312.6034",
            summary="the absolute gradient of each pixel",
            aliases=("vanilla",),
        ),
        MethodRow(
            name="smoothgrad",
            title="SmoothGrad",
            implementation="smoothgrad:SmoothGrad",
            command="saliency",
            paper="Smilkov et al. 2017, arXiv:1706.03825",
            summary="the mean gradient over noisy copies of the image",
        ),
        MethodRow(
            name="integratedgradients",
            title="Integrated gradients",
            implementation="integrated_gradients:IntegratedGradients",
            command="saliency",
            paper="Sundararajan et al. 2017, arXiv:1703.01365",
            summary="each pixel's share of the difference in logit to the blurred image; they sum to it within 1 %",
            aliases=("ig",),
        ),
        MethodRow(
            name="guidedbackprop",
            title="Guided backpropagation",
            implementation="guided_backpropagation:GuidedBackpropagation",
            command="saliency",
            paper="Springenberg et al. 2014, arXiv:1412.6806",
            summary="the gradient through positive ReLU gradients only: sharp edges, nearly whatever the class",
            aliases=("guidedbackpropagation",),
        ),
        MethodRow(
            name="occlusion",
            title="Occlusion",
            implementation="occlusion:Occlusion",
            command="occlusion",
            paper="Zeiler and Fergus 2013, arXiv:1311.2901",
            summary="how much the class's probability falls when a square is covered; no gradient",
        ),
    )
}


def find(name: str) -> MethodRow:
    """A method by name or alias; case, dashes and underscores do not matter.

    Raises:
        UsageError: there is no such method.
    """
    plain = name.lower().replace("-", "").replace("_", "")
    for row in METHODS.values():
        if plain in (row.name, *row.aliases):
            return row
    hint = did_you_mean(plain, METHODS, count=2) or f" Expected one of {', '.join(METHODS)}."
    raise UsageError(f"There is no method '{name}'.{hint}")
