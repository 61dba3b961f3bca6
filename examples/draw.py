"""Draw the example images of this folder: ``python examples/draw.py``. They are nobody's photographs."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIZE = (480, 360)
#: Everything is drawn larger and scaled down, which makes the edges smooth.
SCALE = 3


def sky(top: tuple[int, int, int], bottom: tuple[int, int, int], seed: int, clouds: float) -> Image.Image:
    """A sky that fades from ``top`` to ``bottom``, with soft clouds."""
    width, height = SIZE
    blend = np.linspace(0, 1, height)[:, None, None]
    base = (1 - blend) * np.array(top) + blend * np.array(bottom)
    rng = np.random.default_rng(seed)
    veil = np.zeros((height, width))
    for octave in range(3, 7):
        noise = Image.fromarray((rng.random((2**octave, 2**octave)) * 255).astype("uint8"))
        veil += np.asarray(noise.resize(SIZE, Image.Resampling.BICUBIC), float) / 255 * 2.0 ** (3 - octave)
    veil = np.clip((veil / veil.max() - 0.62) * 3.0, 0, 1)[..., None] * clouds
    return Image.fromarray((np.broadcast_to(base, (height, width, 3)) * (1 - veil) + 250 * veil).astype("uint8"))


def finish(image: Image.Image, seed: int) -> Image.Image:
    """Scale down, soften as a lens does, and add a little of a sensor's noise."""
    image = image.resize(SIZE, Image.Resampling.LANCZOS).filter(ImageFilter.GaussianBlur(0.6))
    noise = np.random.default_rng(seed).normal(0, 3, (SIZE[1], SIZE[0], 3))
    return Image.fromarray(np.clip(np.asarray(image, float) + noise, 0, 255).astype("uint8"))


def canvas(background: Image.Image) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """The background at drawing size, and a pen for it."""
    large = background.resize((SIZE[0] * SCALE, SIZE[1] * SCALE), Image.Resampling.BICUBIC)
    return large, ImageDraw.Draw(large)


def points(*pairs: tuple[float, float]) -> list[tuple[float, float]]:
    """Coordinates of a 480×360 image at drawing size."""
    return [(x * SCALE, y * SCALE) for x, y in pairs]


def airplane() -> Image.Image:
    """An airliner in flight, from the side."""
    image, pen = canvas(sky((58, 120, 200), (178, 212, 240), 5, 0.7))
    body, shade, dark = (236, 239, 243), (176, 184, 196), (70, 80, 96)
    # The far wing and the tail plane lie behind the body.
    pen.polygon(points((262, 170), (330, 112), (352, 112), (312, 176)), fill=shade)
    pen.polygon(points((92, 168), (64, 140), (80, 140), (120, 168)), fill=shade)
    # Body: a long tube, nose to the right.
    pen.polygon(
        points((70, 170), (110, 160), (250, 154), (372, 158), (402, 168), (412, 180), (398, 190), (350, 196),
               (230, 198), (120, 190)),
        fill=body,
    )  # fmt: skip
    pen.polygon(points((92, 180), (230, 190), (400, 186), (350, 196), (230, 198), (120, 190)), fill=shade)
    # Fin.
    pen.polygon(points((76, 168), (52, 104), (82, 104), (138, 162)), fill=(196, 44, 52))
    # Windows.
    for x in range(140, 372, 11):
        pen.ellipse([*points((x, 167))[0], *points((x + 5, 173))[0]], fill=dark)
    pen.polygon(points((384, 166), (398, 168), (402, 174), (386, 174)), fill=dark)
    # The near wing with its engine.
    pen.rounded_rectangle([*points((214, 214))[0], *points((268, 236))[0]], 10 * SCALE, fill=(150, 158, 170))
    pen.ellipse([*points((258, 214))[0], *points((272, 236))[0]], fill=dark)
    pen.polygon(points((214, 184), (296, 186), (196, 262), (162, 266)), fill=(206, 212, 220))
    pen.polygon(points((86, 176), (126, 178), (84, 206), (66, 206)), fill=(206, 212, 220))
    return finish(image, 1)


def ship() -> Image.Image:
    """A cargo ship at sea."""
    image, pen = canvas(sky((120, 168, 214), (214, 226, 234), 11, 0.5))
    rng = np.random.default_rng(3)
    for y in range(212, 360):
        depth = (y - 212) / 148
        tone = np.array((62, 112, 142)) * (1 - depth) + np.array((24, 62, 96)) * depth
        pen.rectangle([*points((0, y))[0], *points((480, y + 1))[0]], fill=tuple(int(v) for v in tone))
    for _ in range(420):
        y = 214 + 146 * rng.random() ** 1.4
        x, length = 480 * rng.random(), 6 + 30 * (y - 212) / 148
        light = int(110 + 70 * rng.random())
        pen.line(points((x, y), (x + length, y)), fill=(light - 30, light + 10, light + 26), width=SCALE)
    # Superstructure, funnel and cranes.
    pen.rectangle([*points((96, 126))[0], *points((150, 206))[0]], fill=(238, 238, 232))
    pen.rectangle([*points((88, 138))[0], *points((158, 148))[0]], fill=(222, 222, 216))
    pen.rectangle([*points((74, 140))[0], *points((92, 206))[0]], fill=(190, 52, 44))
    pen.rectangle([*points((74, 140))[0], *points((92, 150))[0]], fill=(34, 36, 40))
    pen.line(points((122, 126), (122, 92)), fill=(90, 94, 98), width=2 * SCALE)
    # Containers on deck.
    colours = [(198, 82, 50), (60, 112, 160), (210, 170, 70), (84, 142, 92), (170, 60, 66), (120, 130, 140)]
    for column in range(8):
        for level in range(1 + (column * 5 + 3) % 3):
            x, y = 168 + column * 27, 190 - level * 17
            pen.rectangle(
                [*points((x, y))[0], *points((x + 25, y + 16))[0]], fill=colours[(column * 2 + level * 3) % 6]
            )
    # Hull, bow to the right.
    pen.polygon(points((58, 204), (432, 204), (448, 192), (420, 252), (78, 254)), fill=(36, 46, 66))
    pen.polygon(points((74, 238), (427, 238), (420, 252), (78, 254)), fill=(146, 44, 40))
    pen.line(points((60, 206), (436, 204)), fill=(214, 218, 222), width=2 * SCALE)
    # Bow wave.
    for offset in range(5):
        pen.arc([*points((396 + 3 * offset, 240))[0], *points((448 + 8 * offset, 262 + 2 * offset))[0]], 60, 190,
                fill=(226, 234, 238), width=2 * SCALE)  # fmt: skip
    pen.line(points((60, 254), (430, 253)), fill=(190, 208, 216), width=2 * SCALE)
    return finish(image, 2)


def car() -> Image.Image:
    """A red car on a road, from the side."""
    image, pen = canvas(sky((150, 190, 226), (224, 232, 238), 23, 0.4))
    pen.polygon(points((0, 190), (120, 168), (260, 186), (380, 160), (480, 182), (480, 240), (0, 240)),
                fill=(92, 128, 84))  # fmt: skip
    pen.rectangle([*points((0, 230))[0], *points((480, 360))[0]], fill=(112, 114, 118))
    pen.rectangle([*points((0, 226))[0], *points((480, 234))[0]], fill=(168, 166, 158))
    for x in range(-20, 480, 90):
        pen.rectangle([*points((x, 332))[0], *points((x + 50, 338))[0]], fill=(226, 224, 214))
    # Shadow under the car.
    pen.ellipse([*points((50, 286))[0], *points((436, 316))[0]], fill=(66, 68, 72))
    paint, low = (196, 34, 38), (140, 20, 26)
    # Body with bonnet and boot, then the cabin.
    pen.polygon(
        points((52, 240), (64, 214), (140, 204), (340, 204), (410, 216), (430, 238), (434, 276), (420, 288), (62, 288),
               (48, 272)),
        fill=paint,
    )  # fmt: skip
    pen.polygon(points((48, 262), (434, 262), (434, 276), (420, 288), (62, 288), (48, 272)), fill=low)
    pen.polygon(points((132, 208), (172, 158), (280, 156), (336, 206)), fill=paint)
    pen.polygon(points((150, 204), (180, 167), (222, 166), (222, 204)), fill=(54, 72, 92))
    pen.polygon(points((232, 204), (232, 166), (274, 166), (314, 204)), fill=(54, 72, 92))
    pen.polygon(points((150, 204), (180, 167), (196, 167), (168, 204)), fill=(112, 140, 164))
    for x in (228, 330):
        pen.line(points((x, 208), (x, 276)), fill=low, width=SCALE)
    pen.rectangle([*points((238, 220))[0], *points((256, 224))[0]], fill=low)
    # Lights and bumpers.
    pen.ellipse([*points((410, 222))[0], *points((432, 238))[0]], fill=(250, 240, 196))
    pen.rectangle([*points((50, 228))[0], *points((60, 244))[0]], fill=(240, 110, 60))
    pen.rounded_rectangle([*points((404, 264))[0], *points((442, 280))[0]], 5 * SCALE, fill=(54, 56, 60))
    pen.rounded_rectangle([*points((40, 264))[0], *points((76, 280))[0]], 5 * SCALE, fill=(54, 56, 60))
    for centre in (126, 350):
        for radius, colour in ((40, (26, 26, 28)), (24, (186, 190, 196)), (17, (120, 124, 130)), (5, (50, 52, 56))):
            left, top = centre - radius, 284 - radius
            pen.ellipse([*points((left, top))[0], *points((centre + radius, 284 + radius))[0]], fill=colour)
        for spoke in range(5):
            angle = spoke * 2 * math.pi / 5 + 0.3
            pen.line(points((centre, 284), (centre + 22 * math.cos(angle), 284 + 22 * math.sin(angle))),
                     fill=(196, 200, 206), width=3 * SCALE)  # fmt: skip
    return finish(image, 3)


def main() -> None:
    """Write the three images beside this script."""
    folder = Path(__file__).parent
    for draw in (airplane, ship, car):
        draw().save(folder / f"{draw.__name__}.jpg", quality=88)


if __name__ == "__main__":
    main()
