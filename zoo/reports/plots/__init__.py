"""Images of a training and of a judgement: each drawn into a PNG file, or into an array of pixels.

Every image has two functions: ``curves(rows, path)`` writes a file, ``curves_image(rows)`` returns uint8 RGB
(height, width, 3) for whoever shows it otherwise. Colours are those of Okabe and Ito, which colour-blind readers tell
apart. Nothing here needs a display or touches ``matplotlib.pyplot``.
"""

from zoo.reports.plots.canvas import RIGHT, WRONG, write_png
from zoo.reports.plots.contact_sheet import sheet, sheet_image
from zoo.reports.plots.kernels import filters, filters_image
from zoo.reports.plots.matrix import confusion, confusion_image
from zoo.reports.plots.reliability import reliability, reliability_image
from zoo.reports.plots.training_curves import curves, curves_image

__all__ = [
    "RIGHT",
    "WRONG",
    "confusion",
    "confusion_image",
    "curves",
    "curves_image",
    "filters",
    "filters_image",
    "reliability",
    "reliability_image",
    "sheet",
    "sheet_image",
    "write_png",
]
