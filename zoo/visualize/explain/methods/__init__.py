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
    #: ``FILE:CLASS``; the file's name is also that of the function in :mod:`zoo.visualize`.
    implementation: str
    #: The command of ``zoo visualize`` that offers it.
    command: str
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
        MethodRow("gradcam", "gradcam:GradCam", "gradcam"),
        MethodRow("gradcam++", "gradcam_plus_plus:GradCamPlusPlus", "gradcam"),
        MethodRow("hirescam", "hirescam:HiResCam", "gradcam"),
        MethodRow("layercam", "layercam:LayerCam", "gradcam"),
        MethodRow("scorecam", "scorecam:ScoreCam", "gradcam"),
        MethodRow("eigencam", "eigencam:EigenCam", "gradcam"),
        MethodRow("saliency", "saliency:Saliency", "saliency", ("vanilla",)),
        MethodRow("smoothgrad", "smoothgrad:SmoothGrad", "saliency"),
        MethodRow("integratedgradients", "integrated_gradients:IntegratedGradients", "saliency", ("ig",)),
        MethodRow("guidedbackprop", "guided_backpropagation:GuidedBackpropagation", "saliency"),
        MethodRow("occlusion", "occlusion:Occlusion", "occlusion"),
    )
}


def find(name: str) -> MethodRow:
    """A method by name or alias; case, dashes and underscores do not matter.

    Raises:
        UsageError: there is no such method.
    """
    plain = name.lower().replace("-", "").replace("_", "")
    for row in METHODS.values():
        if plain in (row.name, row.function.replace("_", ""), *row.aliases):
            return row
    hint = did_you_mean(plain, METHODS, count=2) or f" Expected one of {', '.join(METHODS)}."
    raise UsageError(f"There is no method '{name}'.{hint}")
