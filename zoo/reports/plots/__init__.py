"""Images for people: each function returns uint8 RGB (height, width, 3), which :func:`write_png` writes to a file.

- ``image_grid``: contact sheets, and captioned images in blocks.
- ``training_curves``, ``confusion_matrix``, ``reliability_diagram``: plots.
- ``colour_maps``: numbers as colours. ``canvas``: style, text, PNG files.

Colours are those of Okabe and Ito, which colour-blind readers tell apart. Matplotlib is imported when something is
drawn, needs no display, and ``matplotlib.pyplot`` is not touched.
"""

from zoo.reports.plots.canvas import RIGHT, WRONG, write_png
from zoo.reports.plots.confusion_matrix import confusion_image
from zoo.reports.plots.image_grid import mistake_caption, sheet_image
from zoo.reports.plots.reliability_diagram import reliability_image
from zoo.reports.plots.training_curves import curves_image

__all__ = [
    "RIGHT",
    "WRONG",
    "confusion_image",
    "curves_image",
    "mistake_caption",
    "reliability_image",
    "sheet_image",
    "write_png",
]
