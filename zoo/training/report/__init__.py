"""The report of a training run: ``report.html``, from plain values.

- ``contents``: :class:`RunReport`, what a report shows. ``page``: its sections, and the file.
- ``summary``: the headline and the caveats. ``accuracy_chart``, ``curves``, ``confusion_table``, ``tables``,
  ``gallery``: the parts of the page.

>>> from zoo.training import report
>>> report.write(report.RunReport("clothing", metrics={"test": summary}), "run/report.html")
"""

from zoo.training.report.contents import SHOWN, SPLITS, GalleryImage, PhaseEpochs, RunReport
from zoo.training.report.page import html, write

__all__ = ["SHOWN", "SPLITS", "GalleryImage", "PhaseEpochs", "RunReport", "html", "write"]
