"""The page: well-formed, complete in itself, safe whatever a name holds, small, and written whole or not at all."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import resource
import subprocess
import sys

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.reports.html.reader import Page
from tests.training.report.examples import evaluated, pixels, rows, run
from zoo.core.errors import UnavailableError, UsageError
from zoo.data.checks.findings import Finding
from zoo.training import report
from zoo.training.report import GalleryImage, PhaseEpochs, RunReport
from zoo.training.report.confusion_table import PART

EVIL = '"><script>alert(1)</script><img src=x onerror="alert(2)">&lt;'


def page_of(contents):
    return Page(report.html(contents))


# --- What is on it --------------------------------------------------------------------------------------------------


def test_the_facts_are_there():
    text = page_of(run()).text
    for fact in [
        "pets",
        "2025-11-21",
        "Of 60 test images it classifies 54 correctly: 90.0 % (95 % interval",
        "zoo finetune --dataset pets/ \\\n  --seed 1",
        "The head is trained first.",
        "Epoch 11 of 12 was the best",
        "head: epochs 1 to 5",
        "head 6.25, evaluating 1",
        "cat classified as dog2 of 20 (10.0 %)",
        "1 of 6 mistakes",
        "One image is in train and in test.",
        "train/broken.jpgit is cut off",
    ]:
        assert fact in text, fact


def test_every_link_leads_to_a_part():
    page = page_of(run())
    parts = {attributes["id"] for attributes in page.all("section")}
    links = [attributes["href"] for attributes in page.all("a")]
    assert len(links) == len(parts) == 9
    assert {link.removeprefix("#") for link in links} == parts


def test_the_confusion_is_whole_for_few_classes():
    page = page_of(run())
    assert len(page.all("td", "r9")) == 3
    assert len(page.all("td", "w3")) == 3


def test_the_weakest_class_stands_first():
    summary, matrix = evaluated(["a", "b", "c"])
    summary["per_class"][2] = summary["per_class"][2] | {"f1": 0.1}
    summary["per_class"][0] = summary["per_class"][0] | {"f1": None}
    text = page_of(run(("a", "b", "c"), metrics={"test": summary}, confusion=matrix)).text
    section = text[text.index("the lowest F1 first") :]
    assert re.match(r".*F1c\d+.*b\d+.*a\d+", section)


def test_tables_can_be_sorted_by_their_values():
    page = page_of(run())
    (table,) = page.all("table", "sortable")
    assert table["data-rows"] == "3"
    assert {cell["data-value"] for cell in page.all("td") if "data-value" in cell} == {"100", "20", "0.900000"}


# --- Runs of every kind ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "contents",
    [
        RunReport("nothing yet"),
        RunReport("auto", metrics={"train": {"loss": 0.2}, "test": {"n": 9, "loss": 0.1}}, history=rows(3)),
        RunReport("no test", metrics={"train": {"loss": 1.0, "top1": 0.5}}, history=rows(1, val=False)),
        RunReport("diverged", history=[{"epoch": 1, "loss": float("nan")}], best_epoch=None),
        RunReport(
            "one class", classes=["a"], confusion=np.array([[3]]), metrics={"test": evaluated(["a"], wrong=0)[0]}
        ),
        RunReport("no images", classes=["a", "b"], confusion=np.zeros((2, 2), int)),
        RunReport("counts alone", counts={"a": {"train": 3}, "b": {"train": 4, "val": 1}}),
        run(phases=[PhaseEpochs("x" * 90, 1, 2), PhaseEpochs("outside", 40, 50), PhaseEpochs("z", 3, 12)]),
        run(metrics={"test": {"n": 3, "top1": None, "loss": None, "ece": float("nan")}}),
    ],
    ids=lambda contents: contents.title,
)
def test_it_can_be_shown(contents):
    page = page_of(contents)
    assert contents.title in page.text
    assert not re.search(r"\bnan\b|\bNone\b|\binf\b", page.text)


def test_a_thousand_classes():
    names = [f"class {i}" for i in range(1000)]
    summary, matrix = evaluated(names, each=10)
    text = report.html(run(names, metrics={"test": summary}, confusion=matrix))
    page = Page(text)
    assert len(text) < 1_000_000
    assert f"Of 1,000 classes, the {PART}" in page.text
    assert len([cell for cell in page.all("th") if cell.get("scope") == "row"]) > 1000
    assert len(page.all("td", "r9")) + len(page.all("td", "r8")) <= PART


def test_names_that_do_not_go_with_the_confusion_are_refused():
    with pytest.raises(UsageError, match=r"\(2, 2\) does not go with 3 classes"):
        RunReport("x", classes=["a", "b", "c"], confusion=np.zeros((2, 2), int))


# --- Safe -----------------------------------------------------------------------------------------------------------


def test_names_from_outside_stay_text():
    names = (EVIL, "b" + EVIL, "caf\udce9")
    summary, matrix = evaluated(names)
    contents = run(
        names,
        title=EVIL,
        command=EVIL,
        when=EVIL,
        facts=[(EVIL, EVIL)],
        plan=[EVIL],
        metrics={"test": summary},
        confusion=matrix,
        phases=[PhaseEpochs(EVIL, 1, 6), PhaseEpochs(EVIL, 7, 12)],
        counts={EVIL: {"train": 1}},
        findings=[Finding("leak", EVIL, (EVIL, "\udcff\ud800"))],
        failed=[(EVIL, EVIL)],
        wrong=[GalleryImage(EVIL + "\udce9\n", EVIL, names[1], 0.9, pixels())],
        right=[GalleryImage(EVIL, EVIL, EVIL, 0.9)],
    )
    text = report.html(contents)
    text.encode()
    page = Page(text)
    assert len(page.all("script")) == 1
    assert all(attributes["src"].startswith("data:image/") for attributes in page.all("img"))
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert page.text.count(EVIL) > 15
    assert "caf\\xe9" in page.text


def test_nothing_is_fetched():
    page = page_of(run())
    for _, attributes in page.elements:
        for name in ("src", "href", "srcset", "action", "data"):
            assert attributes.get(name, "#").startswith(("#", "data:image/"))
        assert "style" not in attributes
    assert not page.all("link") and not page.all("iframe")
    (style,) = [data for tag, data in page.texts if tag == "style"]
    assert "url(" not in style and "@import" not in style
    assert "://" not in re.sub(r"base64,[\w+/=]+", "", report.html(run()))


def test_the_policy_allows_its_own_style_and_script_and_nothing_else():
    page = page_of(run())
    (policy,) = [found["content"] for found in page.all("meta") if "http-equiv" in found]
    assert policy.startswith("default-src 'none'; img-src data:; ")
    for tag in ("style", "script"):
        (inside,) = [data for name, data in page.texts if name == tag]
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_every_class_in_the_page_has_a_style():
    page = page_of(run())
    (style,) = [data for tag, data in page.texts if tag == "style"]
    used = {name for _, found in page.elements for name in (found.get("class") or "").split()}
    # What the script looks for, and marks that are only told apart by what they stand in.
    assert used - set(re.findall(r"\.([a-z][\w-]*)", style)) <= {"sortable"}


def test_forty_eight_images_with_overlays_stay_within_two_megabytes():
    shown = [
        GalleryImage("a.jpg", "cat", "dog", 0.9, pixels(300, 300, seed), pixels(300, 300, seed)) for seed in range(24)
    ]
    assert len(report.html(run(wrong=shown, right=shown)).encode()) < 2_050_000


# --- The file -------------------------------------------------------------------------------------------------------


def test_a_file_is_written(tmp_path):
    path = report.write(run(), tmp_path / "report.html")
    assert path == tmp_path / "report.html"
    assert path.read_text(encoding="utf-8") == report.html(run())
    assert os.listdir(tmp_path) == ["report.html"]


def test_a_full_disk_leaves_the_earlier_page(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("an earlier one")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(UnavailableError, match=r"report\.html cannot be written"):
            report.write(run(), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_text() == "an earlier one"
    assert os.listdir(tmp_path) == ["report.html"]


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(UnavailableError, match=r"report\.html cannot be written"):
        report.write(run(), tmp_path / "nowhere" / "report.html")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(UnavailableError, match="cannot be written"):
            report.write(run(), tmp_path / "report.html")
    finally:
        tmp_path.chmod(0o700)


def test_no_framework_is_imported():
    code = (
        "import sys, zoo.training.report as r; r.html(r.RunReport('x', history=[{'loss': 1.0}]));"
        "print([m for m in ('keras', 'tensorflow', 'openvino', 'matplotlib', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.stdout == "[]\n", done.stderr
