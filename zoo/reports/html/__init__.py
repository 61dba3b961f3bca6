"""The page of a run: one HTML file that needs no network, no server and no JavaScript to be read.

>>> from zoo.reports import html as report
>>> report.write(report.RunReport("clothing", metrics={"test": summary}), "run/report.html")
"""

from zoo.reports.html.contents import Finding, Phase, RunReport, Shown
from zoo.reports.html.page import html, write

__all__ = ["Finding", "Phase", "RunReport", "Shown", "html", "write"]
