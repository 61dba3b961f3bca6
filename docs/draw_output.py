"""Draw the image of the README: what ``zoo classify examples/`` prints, as a PNG.

Run it as ``python docs/draw_output.py`` where the font DejaVu Sans Mono is installed.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).parents[1]
BACKGROUND, TEXT, PROMPT, BAR = (24, 26, 31), (214, 218, 224), (255, 255, 255), (126, 200, 80)
SIZE, MARGIN = 18, 20


def main() -> None:
    """Run the command and write ``docs/classify.png``."""
    command = ["zoo", "classify", "examples/", "-m", "cifar10-resnet9", "--top", "3", "--format", "table", "-q"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    lines = ["$ zoo classify examples/ --top 3", *done.stdout.splitlines()]
    font = ImageFont.truetype("DejaVuSansMono.ttf", SIZE)
    cell, row = font.getlength("m"), round(SIZE * 1.35)
    image = Image.new("RGB", (round(cell * 52) + 2 * MARGIN, row * len(lines) + 2 * MARGIN), BACKGROUND)
    pen = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        top = MARGIN + number * row
        # Characters stand in cells, as on a terminal.
        for column, character in enumerate(line):
            bar = re.match("[█▉▊▋▌▍▎▏]", character)
            if bar:
                part = (1 + "▏▎▍▌▋▊▉█".index(character)) / 8
                left = MARGIN + column * cell
                pen.rectangle([left, top + 3, left + cell * part, top + row - 5], fill=BAR)
            else:
                colour = PROMPT if number == 0 else TEXT
                pen.text((MARGIN + column * cell, top), character, font=font, fill=colour)
    image.quantize(32).save(ROOT / "docs" / "classify.png", optimize=True)


if __name__ == "__main__":
    main()
