"""One way to explain a class a file; the table of all of them."""

from __future__ import annotations

from zoo.core.errors import UsageError
from zoo.core.suggestions import did_you_mean
from zoo.visualize.explain.base import Method
from zoo.visualize.explain.methods.eigencam import EigenCam
from zoo.visualize.explain.methods.gradcam import GradCam
from zoo.visualize.explain.methods.gradcam_plus_plus import GradCamPlusPlus
from zoo.visualize.explain.methods.guided_backpropagation import GuidedBackpropagation
from zoo.visualize.explain.methods.hirescam import HiResCam
from zoo.visualize.explain.methods.integrated_gradients import IntegratedGradients
from zoo.visualize.explain.methods.layercam import LayerCam
from zoo.visualize.explain.methods.occlusion import Occlusion
from zoo.visualize.explain.methods.saliency import Saliency
from zoo.visualize.explain.methods.scorecam import ScoreCam
from zoo.visualize.explain.methods.smoothgrad import SmoothGrad

#: By name, in the order in which a sheet of all shows them.
METHODS: dict[str, type[Method]] = {
    method.name: method
    for method in (
        GradCam,
        GradCamPlusPlus,
        HiResCam,
        LayerCam,
        ScoreCam,
        EigenCam,
        Saliency,
        SmoothGrad,
        IntegratedGradients,
        GuidedBackpropagation,
        Occlusion,
    )
}
#: Other names that people type.
_ALSO = {"guidedbackpropagation": "guidedbackprop", "ig": "integratedgradients", "vanilla": "saliency"}


def find(name: str) -> type[Method]:
    """A method by name; dashes do not count.

    Raises:
        UsageError: there is none; the sentence names the nearest ones.
    """
    plain = name.lower().replace("-", "").replace("_", "").replace("plusplus", "++")
    plain = _ALSO.get(plain, plain)
    if plain in METHODS:
        return METHODS[plain]
    hint = did_you_mean(plain, METHODS, count=2) or f" There are {', '.join(METHODS)}."
    raise UsageError(f"There is no method '{name}'.{hint}")
