"""Draw the picture of the README: what ``zoo classify examples/`` prints, as an SVG.

python docs/draw_output.py
"""

from __future__ import annotations

import io
import os
import subprocess
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Run the command and write ``docs/classify.svg``."""
    command = ["zoo", "classify", "examples/", "-m", "cifar10-resnet9", "--top", "3", "--format", "table", "-q"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, env={**os.environ})
    console = Console(record=True, width=64, file=io.StringIO())
    console.print(Text("$ zoo classify examples/ --top 3", style="bold"))
    for line in done.stdout.splitlines():
        text = Text(line)
        text.highlight_regex(r"[█▉▊▋▌▍▎▏]+", "green")
        console.print(text)
    (ROOT / "docs" / "classify.svg").write_text(console.export_svg(title="zoo", theme=MONOKAI), encoding="utf-8")


if __name__ == "__main__":
    main()
