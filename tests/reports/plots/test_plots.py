"""Images: valid files of the right size that show what they should, and nothing of a person's settings touched."""

from __future__ import annotations

import gc
import itertools
import os
import resource
import subprocess
import sys
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.conftest import ROOT
from zoo.core.errors import UnavailableError, UsageError
from zoo.reports import plots
from zoo.reports.plots import canvas, image_grid
from zoo.reports.plots.reliability_diagram import Bin

FAST = settings(max_examples=25, deadline=None)

WHITE = (255, 255, 255)
#: A page of paper, at the dots of an inch that the files state.
PAGE = (8.5 * 150, 11.7 * 150)

ODD_NAMES = ["cats_and_dogs", "$x^2$", r"\frac{1}{2}", "Äpfel & Birnen", "梨", "line\nend", "caf\udce9", "%s {0}"]


def rows(count, *, val=True, rate=True):
    epochs = range(1, count + 1)
    history = [{"epoch": epoch, "loss": 2.3 / epoch, "top1": 1 - 0.9 / epoch} for epoch in epochs]
    if val:
        history = [row | {"val_loss": 2.5 / row["epoch"], "val_top1": row["top1"] - 0.02} for row in history]
    if rate:
        history = [row | {"learning_rate": 0.1 * (1 - row["epoch"] / (count + 1))} for row in history]
    return history


def matrix(classes, seed=0):
    random = np.random.default_rng(seed)
    return random.poisson(0.3, (classes, classes)) + np.diag(random.integers(20, 90, classes))


def bins(seed, count=400, of=15):
    """Bins of confidence with about ``count`` images."""
    random = np.random.default_rng(seed)
    found = []
    for index, images in enumerate(random.multinomial(count, np.full(of, 1 / of)).tolist()):
        low, high = index / of, (index + 1) / of
        right = random.binomial(images, high)
        share = right / images if images else None
        interval = (max(0.0, share - 0.1), min(1.0, share + 0.1)) if images else (0.0, 1.0)
        found.append(Bin(low, high, images, (low + high) / 2 if images else None, share, interval))
    return found


def images(count, size=(28, 28)):
    return list(np.random.default_rng(0).integers(0, 256, (count, *size, 3), dtype=np.uint8))


def ink(pixels):
    """Where a page is not white."""
    return (pixels != 255).any(axis=2)


def has(pixels, colour):
    """How many pixels have a colour, given as #RRGGBB, exactly."""
    return int((pixels == [int(colour[i : i + 2], 16) for i in (1, 3, 5)]).all(axis=2).sum())


def check(pixels, *, page=True):
    """An image of the right kind, with something on it, all of it within the page."""
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3 and pixels.shape[2] == 3
    marks = ink(pixels)
    assert marks.mean() > 0.002
    # A blank edge all around: nothing is cut off.
    assert not marks[0].any() and not marks[-1].any() and not marks[:, 0].any() and not marks[:, -1].any()
    if page:
        assert pixels.shape[1] <= PAGE[0] and pixels.shape[0] <= PAGE[1]


# --- Files ----------------------------------------------------------------------------------------------------------

ALL = [
    (plots.curves_image, (rows(3),), {"title": "a run"}),
    (plots.confusion_image, (matrix(4), list("abcd")), {"title": "a run"}),
    (plots.reliability_image, ({"as it is": bins(0)},), {"title": "a run"}),
    (plots.sheet_image, (images(3), list("abc")), {"title": "a run", "columns": 2}),
]


def test_a_file_holds_what_the_array_does(tmp_path):
    path = tmp_path / "image.png"
    path.write_text("an earlier one")
    pixels = plots.curves_image(rows(3), title="a run")
    plots.write_png(pixels, path)
    with Image.open(path) as image:
        image.verify()
    with Image.open(path) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        assert image.info["dpi"] == pytest.approx((150, 150), abs=0.1)
        assert np.array_equal(np.array(image), pixels)
    assert os.listdir(tmp_path) == ["image.png"]
    plain = tmp_path / "plain"
    plain.write_text("")
    assert path.stat().st_mode == plain.stat().st_mode


def test_a_full_disk_leaves_the_earlier_file(tmp_path):
    path = tmp_path / "image.png"
    path.write_text("an earlier one")
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(UnavailableError, match=r"image\.png cannot be written \(file too large\)"):
            plots.write_png(pixels, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_text() == "an earlier one"
    assert os.listdir(tmp_path) == ["image.png"]


def test_a_missing_folder_is_a_sentence(tmp_path):
    with pytest.raises(UnavailableError, match=r"no such file or directory"):
        plots.write_png(np.zeros((2, 2, 3), np.uint8), tmp_path / "none" / "curves.png")


def test_the_same_image_comes_out_twice():
    for draw, arguments, options in ALL:
        assert np.array_equal(draw(*arguments, **options), draw(*arguments, **options))


def test_figures_are_released(monkeypatch):
    figures = []

    def remembered(width, height):
        figure = new_figure(width, height)
        figures.append(weakref.ref(figure))
        return figure

    new_figure = canvas.new_figure
    monkeypatch.setattr(canvas, "new_figure", remembered)
    for draw, arguments, options in ALL:
        draw(*arguments, **options)
    gc.collect()
    assert [figure() for figure in figures] == [None] * len(ALL)


def test_a_persons_settings_neither_matter_nor_change():
    import matplotlib

    mine = plots.curves_image(rows(3), title="$a_b$")
    theirs = {"font.size": 30.0, "axes.facecolor": "black", "savefig.dpi": 20.0, "figure.autolayout": True}
    with matplotlib.rc_context(theirs):
        assert np.array_equal(plots.curves_image(rows(3), title="$a_b$"), mine)
        assert {key: matplotlib.rcParams[key] for key in theirs} == theirs


def test_neither_a_display_nor_pyplot_is_touched(tmp_path):
    code = (
        "import sys\n"
        "from zoo.reports import plots\n"
        "print('matplotlib' in sys.modules)\n"
        "plots.write_png(plots.curves_image([{'epoch': 1, 'loss': 1.0}]), 'curves.png')\n"
        "print('matplotlib.pyplot' in sys.modules, 'keras' in sys.modules)"
    )
    environment = {**os.environ, "MPLBACKEND": "TkAgg", "PYTHONPATH": str(ROOT)}
    environment.pop("DISPLAY", None)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment, check=True
    )
    assert done.stdout.split() == ["False", "False", "False"]
    assert (tmp_path / "curves.png").is_file()


# --- Text -----------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("error")
def test_odd_names_are_drawn_as_they_are():
    check(plots.confusion_image(matrix(len(ODD_NAMES)), ODD_NAMES, title="$run_1$ \\alpha"))
    check(plots.sheet_image(images(len(ODD_NAMES)), ODD_NAMES, title="$run_1$ \\alpha"))
    check(plots.curves_image(rows(2), title="$run_1$ \\alpha"))


def test_dollars_and_underscores_are_no_formulas():
    # As a formula it would be narrower by the dollars and the underscore.
    wide, narrow = (
        ink(plots.sheet_image(images(1), [text]))[180:].any(axis=0).sum() for text in ("$a_bcdefg$", "abcdefg")
    )
    assert wide > narrow * 1.2


@FAST
@given(st.text(max_size=60), st.floats(0.3, 2), st.integers(1, 4))
def test_lines_fit_and_only_the_end_is_lost(text, width, limit):
    with canvas.style():
        lines = canvas.wrapped(canvas.clean(text), 7, width, limit)
        assert len(lines) <= limit
        assert all(canvas.text_width(line, 7) <= width for line in lines)
    # Spaces between lines are left out; what is missing is missing at the end, and then there is an ellipsis.
    squeezed = "".join(canvas.clean(text).split())
    shown = "".join("".join(lines).split())
    assert squeezed == shown or (shown.endswith("…") and squeezed.startswith(shown[:-1]))


def test_the_width_of_a_line_is_known_before_it_is_drawn():
    for text in ("golden retriever", "WWWW iiii", "T-shirt/top 54 %"):
        with canvas.style():
            expected = canvas.text_width(text, 9) * canvas.DPI
            figure = canvas.new_figure(4, 1)
            figure.text(0.1, 0.5, text, fontsize=9)
            columns = np.flatnonzero(ink(canvas.to_pixels(figure)).any(axis=0))
        assert np.ptp(columns) + 1 == pytest.approx(expected, abs=4)


# --- Curves ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 12, 300])
def test_curves_of_any_length_are_the_same_page(count):
    pixels = plots.curves_image(rows(count), title="run")
    check(pixels)
    assert pixels.shape == plots.curves_image(rows(5), title="run").shape
    assert has(pixels, canvas.BLUE) and has(pixels, canvas.VERMILLION)


def test_curves_show_what_there_is():
    full = plots.curves_image(rows(5))
    assert plots.curves_image(rows(5, rate=False)).shape[0] < full.shape[0]
    train_only = plots.curves_image(rows(5, val=False))
    check(train_only)
    assert not has(train_only, canvas.VERMILLION)
    autoencoder = plots.curves_image([{"epoch": 1, "loss": 0.2, "val_loss": 0.3}, {"epoch": 2, "loss": 0.1}])
    check(autoencoder)
    assert autoencoder.shape[0] < full.shape[0] / 2 + 100


def test_curves_of_nothing_say_so():
    check(plots.curves_image([]))
    check(plots.curves_image([{"epoch": 1, "loss": float("nan")}], title="run"))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "history",
    [
        [
            {"epoch": 1, "loss": 1.0, "top1": 0.1},
            {"epoch": 2, "loss": float("nan")},
            {"epoch": 3, "loss": float("inf")},
        ],
        [{"loss": 0.0, "top1": 1.0, "val_loss": 0.0, "val_top1": 1.0, "learning_rate": 0.0}] * 3,
        [{"epoch": 1, "loss": 1e30, "val_loss": 1e-30, "top1": 0.0}],
        [{"epoch": 7, "loss": -3.0, "learning_rate": 1e-7}, {"epoch": 9, "loss": 3.0}],
    ],
)
def test_curves_of_odd_numbers(history):
    check(plots.curves_image(history))


def test_the_best_epoch_is_marked():
    def mark(best):
        """The column of the vertical line in the strip between the panels' titles and their lines."""
        pixels = plots.curves_image(rows(9), best=best)
        line = (pixels == [0xCC] * 3).all(axis=2).sum(axis=0)
        return int(line.argmax())

    assert mark(4) < mark(7)
    assert np.array_equal(plots.curves_image(rows(9)), plots.curves_image(rows(9), best=0))


# --- Confusion ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [1, 2, 10, 60, 200])
def test_confusion_of_any_number_of_classes_fits_a_page(classes):
    pixels = plots.confusion_image(matrix(classes), [f"a rather long name {i}" for i in range(classes)], title="run")
    check(pixels)


def test_what_is_right_is_blue_and_what_is_wrong_is_not():
    counts = np.array([[3, 0], [0, 0]])
    right = plots.confusion_image(counts, ["a", "b"])
    wrong = plots.confusion_image(counts[:, ::-1], ["a", "b"])
    blue, orange = "#00507E", "#8A3D00"
    assert has(right, blue) > 5000 > has(wrong, blue)
    assert has(wrong, orange) > 5000 > has(right, orange)


@pytest.fixture
def figure_of(monkeypatch):
    """Draw a confusion matrix, and get matplotlib's figure of it instead of the pixels."""

    def draw(*arguments):
        drawn = []
        monkeypatch.setattr(canvas, "to_pixels", drawn.append)
        plots.confusion_image(*arguments)
        drawn[0].canvas.draw()
        return drawn[0]

    return draw


@pytest.mark.parametrize(("classes", "count"), [(2, 1234567), (10, 999), (30, 99)])
def test_counts_stand_inside_their_cells(figure_of, classes, count):
    axes = figure_of(np.eye(classes, dtype=int) * count, [str(i) for i in range(classes)]).axes[0]
    assert [text.get_text() for text in axes.texts] == [f"{count:,}"] * classes
    cell = axes.get_window_extent().width / classes
    assert all(text.get_window_extent().width < 0.95 * cell for text in axes.texts)
    assert all(text.get_window_extent().height < 0.95 * cell for text in axes.texts)


@pytest.mark.parametrize(("classes", "count"), [(60, 7), (30, 1234567)])
def test_counts_that_do_not_fit_are_left_out(figure_of, classes, count):
    assert not figure_of(np.eye(classes, dtype=int) * count, ["a"] * classes).axes[0].texts


@pytest.mark.parametrize("classes", [10, 60, 200])
def test_names_are_thinned_and_never_overlap(figure_of, classes):
    axes = figure_of(matrix(classes), [f"Name {i}" for i in range(classes)]).axes[0]
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        boxes = [label.get_window_extent() for label in labels]
        assert len(boxes) >= min(classes, 40)
        assert not any(a.overlaps(b) for a, b in itertools.pairwise(boxes))


def test_a_matrix_without_images_or_classes():
    check(plots.confusion_image(np.zeros((3, 3), int), list("abc")))
    check(plots.confusion_image(np.zeros((0, 0), int), []))


@pytest.mark.parametrize("shape", [(2, 3), (3,), (2, 2)])
def test_a_matrix_that_does_not_fit_is_refused(shape):
    with pytest.raises(UsageError, match="does not go with 3 classes"):
        plots.confusion_image(np.zeros(shape, int), list("abc"))


# --- Sheets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "size"), [(1, (28, 28)), (5, (28, 28)), (64, (32, 32)), (24, (224, 224)), (7, (300, 20)), (3, (1, 1))]
)
def test_sheets_fit_a_page(count, size):
    check(plots.sheet_image(images(count, size), ["true: a\npredicted: b"] * count, title="Mistakes"))


def test_images_are_shown_dot_for_dot():
    (image,) = images(1)
    page = plots.sheet_image([image], ["one"])
    left, top = (page.shape[1] - 140) // 2, 30
    assert np.array_equal(page[top : top + 140, left : left + 140], image.repeat(5, 0).repeat(5, 1))


def test_grey_images_are_shown_grey():
    grey = images(1)[0][..., 0]
    expected = plots.sheet_image([np.stack([grey] * 3, axis=2)], [""])
    assert np.array_equal(plots.sheet_image([grey], [""]), expected)
    assert np.array_equal(plots.sheet_image([grey[..., None]], [""]), expected)


def test_captions_have_their_colours():
    plain = plots.sheet_image(images(2), ["wrong", "right"])
    coloured = plots.sheet_image(images(2), ["wrong", "right"], colours=[plots.WRONG, plots.RIGHT])
    assert not has(plain[175:], plots.WRONG) and not has(plain[175:], plots.RIGHT)
    half = coloured.shape[1] // 2
    assert has(coloured[175:, :half], plots.WRONG) and has(coloured[175:, half:], plots.RIGHT)
    assert not has(coloured[175:, :half], plots.RIGHT) and not has(coloured[175:, half:], plots.WRONG)


def test_columns_are_as_asked_or_fill_the_last_line():
    def columns(count, **options):
        across = ink(plots.sheet_image(images(count), [""] * count, **options)).any(axis=0)
        return int(np.diff(across.astype(int)).clip(0).sum())

    assert columns(12, columns=3) == 3
    assert [columns(count) for count in (1, 6, 12, 14, 25)] == [1, 6, 6, 7, 5]
    assert [columns(count) for count in (36, 64)] == [9, 8]


def test_too_many_images_are_counted(monkeypatch):
    monkeypatch.setattr(image_grid, "LIMIT", 8)
    eight, nine = (plots.sheet_image(images(count), ["a"] * count, columns=4) for count in (8, 9))
    assert nine.shape[0] - eight.shape[0] == image_grid._LINE
    assert ink(nine)[-60:].any()


def test_a_sheet_without_images_says_so():
    check(plots.sheet_image([], [], title="Misclassified"))


@pytest.mark.parametrize(
    ("given", "captions", "sentence"),
    [
        (images(2), ["a"], "2 images have 1 captions"),
        ([np.zeros((4, 4, 3))], ["a"], r"Received: float64 of shape \(4, 4, 3\)"),
        ([np.zeros((4, 4, 4), np.uint8)], ["a"], "Received: uint8 of shape"),
        ([np.zeros((0, 4, 3), np.uint8)], ["a"], "Received: uint8 of shape"),
    ],
)
def test_what_is_no_sheet_is_refused(given, captions, sentence):
    with pytest.raises(UsageError, match=sentence):
        plots.sheet_image(given, captions)


# --- Reliability ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("title", [None, "a run, test", "a name that is much longer than the page is wide " * 5])
@pytest.mark.parametrize("count", [1, 7, 400])
def test_reliability_of_one_and_of_two_series(count, title):
    one = plots.reliability_image({"as it is": bins(0, count)}, title=title)
    check(one)
    assert has(one, canvas.BLUE) and not has(one, canvas.VERMILLION)
    two = plots.reliability_image({"as it is": bins(0, count), "temperature 1.42": bins(1, count)}, title=title)
    check(two)
    assert has(two, canvas.BLUE) and has(two, canvas.VERMILLION)


def test_reliability_of_odd_names_and_of_nothing():
    for name in ODD_NAMES:
        check(plots.reliability_image({name: bins(0, 20)}, title=name))
    check(plots.reliability_image({"as it is": bins(0, 0)}, title="a run"))
    for series in ({}, dict.fromkeys("abc", bins(0))):
        with pytest.raises(UsageError, match="one or two series"):
            plots.reliability_image(series)
