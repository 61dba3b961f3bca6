from __future__ import annotations

import hashlib
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from tests.data.trees import idx_folder
from tests.drawn import broken_files, detailed, encoded, odd_files, stored_for, with_orientation
from zoo.data import dataset
from zoo.data.checks import check, scan
from zoo.data.checks import classes as class_checks
from zoo.data.checks.check import check_dataset
from zoo.data.checks.findings import KINDS, SEVERITIES, CheckReport
from zoo.data.dataset import Dataset
from zoo.data.duplicates import near_duplicates
from zoo.data.split import Split


def photo(seed, height=120, width=160):
    return Image.fromarray(detailed(height, width, seed))


def photos(folder, counts, start=0):
    """Class folders with JPEGs that are unlike each other."""
    seed = start
    for name, count in counts.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            photo(seed).save(folder / name / f"{number}.jpg", quality=90)
            seed += 1
    return folder


@pytest.fixture
def clean(tmp_path):
    """Two classes in two parts, with nothing wrong."""
    photos(tmp_path / "data" / "train", {"cat": 12, "dog": 14})
    photos(tmp_path / "data" / "test", {"cat": 3, "dog": 2}, start=100)
    return tmp_path / "data"


def look(folder, **options) -> CheckReport:
    return check_dataset(dataset.read_for_check(folder), **options)


def kinds(report):
    return [finding.kind for finding in report.findings]


def only(report, kind):
    assert kinds(report) == [kind], [finding.text for finding in report.findings]
    return report.findings[0]


def below(finding, folder):
    return [path.removeprefix(f"{folder}/") for path in finding.paths]


def test_nothing_is_found_where_nothing_is_wrong(clean):
    report = look(clean)
    assert kinds(report) == []
    assert (report.n, report.classes, report.worst) == (31, ("cat", "dog"), None)
    assert report.counts == {"cat": {"train": 12, "test": 3}, "dog": {"train": 14, "test": 2}}


def test_no_file_is_touched(clean):
    def state():
        return {
            path: (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
            for path in clean.rglob("*")
            if path.is_file()
        }

    shutil.copy(clean / "train" / "cat" / "0.jpg", clean / "test" / "dog" / "copy.jpg")
    before = state()
    look(clean)
    assert state() == before


def test_a_file_in_two_parts_is_an_error(clean):
    shutil.copy(clean / "train" / "cat" / "0.jpg", clean / "test" / "cat" / "copy.jpg")
    report = look(clean)
    finding = only(report, "leak")
    assert (finding.severity, report.worst, report.of_kind("leak")) == ("error", "error", (finding,))
    assert below(finding, clean) == ["train/cat/0.jpg", "test/cat/copy.jpg"]
    assert (finding.splits, finding.classes, finding.count) == (("train", "test"), ("cat", "cat"), 2)
    assert finding.text == "train/cat/0.jpg and test/cat/copy.jpg are the same file, in train and test."


def test_a_file_in_two_classes(clean):
    shutil.copy(clean / "train" / "cat" / "0.jpg", clean / "train" / "dog" / "copy.jpg")
    finding = only(look(clean), "conflict")
    assert finding.severity == "warning"
    assert finding.classes == ("cat", "dog")


def test_a_file_in_two_parts_and_classes_is_both(clean):
    shutil.copy(clean / "train" / "cat" / "0.jpg", clean / "test" / "dog" / "copy.jpg")
    assert kinds(look(clean)) == ["leak", "conflict"]


def test_a_file_twice_in_a_class(clean):
    for number in range(3):
        shutil.copy(clean / "train" / "cat" / "0.jpg", clean / "train" / "cat" / f"copy{number}.jpg")
    finding = only(look(clean), "duplicate")
    assert finding.count == 4
    assert finding.text == "train/cat/0.jpg, train/cat/copy0.jpg and 2 more are the same file."


CHANGES = {
    "recompressed": lambda image: image,
    "smaller": lambda image: image.resize((120, 90), Image.Resampling.LANCZOS),
    "brighter": lambda image: image.point([min(255, round(value * 1.05)) for value in range(256)] * 3),
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
}


@pytest.mark.parametrize("change", CHANGES)
def test_copies_to_the_eye(clean, change):
    CHANGES[change](photo(5)).save(clean / "test" / "cat" / "copy.jpg", quality=75)
    report = look(clean)
    finding = only(report, "near-leak")
    assert (finding.severity, report.of_kind("near-leak")) == ("warning", (finding,))
    assert below(finding, clean) == ["train/cat/5.jpg", "test/cat/copy.jpg"]
    assert ("mirrored" in finding.text) == (change == "mirrored")
    assert kinds(look(clean, near=False)) == []


def test_copies_to_the_eye_in_a_class_and_across_classes(clean):
    photo(5).save(clean / "train" / "cat" / "copy.png")
    assert only(look(clean), "near-duplicate").severity == "note"
    photo(6).save(clean / "train" / "dog" / "copy.png")
    assert kinds(look(clean)) == ["near-conflict", "near-duplicate"]


def test_a_copy_to_the_eye_of_a_file_that_is_there_twice_names_all_three(clean):
    shutil.copy(clean / "train" / "cat" / "5.jpg", clean / "train" / "cat" / "again.jpg")
    photo(5).save(clean / "test" / "cat" / "copy.png")
    report = look(clean)
    assert kinds(report) == ["near-leak", "duplicate"]
    assert below(report.findings[0], clean) == ["train/cat/5.jpg", "train/cat/again.jpg", "test/cat/copy.png"]
    assert report.findings[0].text.startswith("train/cat/5.jpg, test/cat/copy.png and 1 more look the same")


def test_what_cannot_be_read_is_said_with_its_reason_and_nothing_else(clean):
    broken = broken_files(clean / "train" / "cat")
    report = look(clean)
    assert set(kinds(report)) == {"unreadable", "unequal"}
    assert {finding.paths[0] for finding in report.of_kind("unreadable")} == {str(path) for path in broken.values()}
    said = {finding.paths[0]: finding.text for finding in report.of_kind("unreadable")}
    assert said[str(broken["cut_jpeg"])].startswith("train/cat/cut_jpeg.jpg cannot be read: cut short: ")
    assert report.n == 31 + len(broken)


def test_odd_images_are_noted(clean):
    made = odd_files(clean / "train" / "cat")
    found = {finding.kind: set(below(finding, clean)) for finding in look(clean).findings if finding.paths}
    assert found["cmyk"] == {"train/cat/cmyk.jpg"}
    assert found["turned"] == {"train/cat/turned.jpg"}
    assert found["tiny"] == {"train/cat/one_pixel.png"}
    assert found["wrong-suffix"] == {"train/cat/really_a_png.jpg"}
    assert {"train/cat/animated.gif", "train/cat/animated.webp"} <= found["animated"]
    assert "train/cat/grey_16_bits.png" in found["deep"]
    assert {"train/cat/grey.jpg", "train/cat/one_bit.png"} <= found["grey"]
    assert len(made) > 20


def test_files_of_another_format_are_one_finding_a_kind(clean):
    for number in range(3):
        (clean / "train" / "dog" / f"png{number}.jpg").write_bytes(encoded(photo(200 + number), "PNG"))
    finding = only(look(clean), "wrong-suffix")
    assert finding.count == 3
    assert finding.text == "3 files called .jpg are in PNG format, such as train/dog/png0.jpg."


def test_small_long_and_empty_images(clean):
    photo(300, 20, 25).save(clean / "train" / "cat" / "tiny.png")
    photo(301, 40, 130).save(clean / "train" / "cat" / "long.png")
    Image.new("RGB", (90, 90), (250, 251, 250)).save(clean / "train" / "cat" / "blank.png")
    found = {finding.kind: below(finding, clean) for finding in look(clean).findings}
    assert found.pop("grey") == ["train/cat/blank.png"]
    assert found == {
        "tiny": ["train/cat/tiny.png"],
        "blank": ["train/cat/blank.png"],
        "long": ["train/cat/long.png"],
    }


def test_images_smaller_than_a_network_takes(clean):
    assert kinds(look(clean, input_size=(120, 160))) == []
    assert only(look(clean, input_size=(121, 160)), "small").count == 31
    # An image that is stored turned counts as it is seen.
    upright = detailed(200, 100, 400)
    (clean / "train" / "cat" / "turned.jpg").write_bytes(with_orientation(stored_for(upright, 6), 6, "JPEG"))
    assert "train/cat/turned.jpg" in below(look(clean, input_size=(110, 110)).of_kind("small")[0], clean)
    assert look(clean, input_size=(120, 100)).of_kind("small") == ()


def test_where_all_images_are_tiny_or_grey_it_is_not_said(tmp_path):
    idx_folder(tmp_path / "digits", train=400, test=100)
    assert kinds(look(tmp_path / "digits")) == []


def test_images_of_idx_files_are_compared(tmp_path):
    content = idx_folder(tmp_path / "digits", train=400, test=100)
    images, labels = content["test"]
    images[3] = content["train"][0][11]
    labels[3] = content["train"][1][11]
    from tests.data.trees import idx

    (tmp_path / "digits" / "t10k-images-idx3-ubyte").write_bytes(idx(images))
    (tmp_path / "digits" / "t10k-labels-idx1-ubyte").write_bytes(idx(labels))
    finding = only(look(tmp_path / "digits"), "leak")
    assert below(finding, tmp_path / "digits") == ["train-images-idx3-ubyte[11]", "t10k-images-idx3-ubyte[3]"]


def test_what_is_not_used(clean):
    (clean / "train" / "cat" / "notes.txt").write_text("x")
    photo(500).save(clean / "train" / "alone.jpg")
    (clean / "old").mkdir()
    report = look(clean)
    assert kinds(report) == ["stray", "unused-folder", "not-a-picture"]
    assert [finding.text for finding in report.findings] == [
        "train/alone.jpg: an image that stands in no class folder.",
        "old: a folder beside the parts, not used.",
        "train/cat/notes.txt: not an image, by its name.",
    ]


def counted(**counts):
    """A dataset of so many images by part and class, for what needs no pixels."""
    classes = tuple(sorted({name for table in counts.values() for name in table}))
    splits = {}
    for part, table in counts.items():
        labels = np.repeat(np.arange(len(classes)), [table.get(name, 0) for name in classes])
        splits[part] = Split([None] * len(labels), labels)
    return Dataset("data", classes, splits)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"train": {"a": 50, "b": 50}}, {}),
        ({"train": {"a": 50}}, {"one-class": ()}),
        ({"train": {"a": 50, "b": 0}}, {"empty-class": ("b",)}),
        ({"train": {"a": 50, "b": 1}}, {"too-few": ("b",), "imbalance": ("a", "b")}),
        ({"train": {"a": 20, "b": 9}}, {"few": ("b",)}),
        ({"train": {"a": 20, "b": 10}}, {}),
        ({"train": {"a": 150, "b": 50}}, {"unequal": ("a", "b")}),
        ({"train": {"a": 149, "b": 50}}, {}),
        ({"train": {"a": 500, "b": 50}}, {"imbalance": ("a", "b")}),
        ({"train": {"a": 50, "b": 50}, "val": {"a": 1, "c": 3}}, {"unknown-class": ("c",), "missing-class": ("b",)}),
        ({"train": {"a": 50, "b": 50}, "test": {"b": 1}}, {"missing-class": ("a",)}),
        ({"test": {"a": 5, "b": 6}}, {"no-train": ()}),
        ({"train": {"Tee Shirt": 50, "tee-shirt ": 50}}, {"similar-names": ("Tee Shirt", "tee-shirt ")}),
        ({"train": {"cafe\u0301": 50, "café": 50}}, {"similar-names": ("cafe\u0301", "café")}),
        ({"train": {"cat": 50, "cats": 50}}, {}),
    ],
)
def test_numbers_and_names_of_classes(counts, expected):
    assert {finding.kind: finding.classes for finding in class_checks.find(counted(**counts))} == expected


def test_many_missing_classes_are_one_sentence():
    names = {f"class{number}": 20 for number in range(12)}
    (finding,) = class_checks.find(counted(train={**names, "last": 20}, test={"last": 1}))
    assert finding.count == 12
    assert finding.text.endswith("'class11', 'class2' and 7 more in test.")


def test_a_division_has_copies_in_one_part(tmp_path):
    photos(tmp_path, {"a": 30, "b": 30})
    data = dataset.read_for_training(tmp_path)
    held = data.splits["val"].sources[0].path
    kept = data.splits["train"].sources[0].path
    shutil.copy(kept, held)
    report = check_dataset(dataset.read_for_training(tmp_path))
    assert not report.of_kind("leak", "near-leak")
    (finding,) = report.of_kind("duplicate")
    assert set(finding.paths) == {held, kept}


def test_the_report_is_plain_json_and_sorted_by_severity(clean):
    broken_files(clean / "train" / "cat")
    odd_files(clean / "train" / "dog")
    report = look(clean)
    plain = json.loads(json.dumps(report.as_dict()))
    assert plain["findings"] == json.loads(json.dumps([finding.as_dict() for finding in report.findings]))
    order = [SEVERITIES.index(finding.severity) for finding in report.findings]
    assert order == sorted(order)
    assert plain["summary"] == {kind: len(found) for kind, found in report.by_kind().items()}
    for finding in report.findings:
        assert finding.text.endswith(".")
        assert len(finding.paths) == len(finding.splits) == len(finding.classes) > 0
        assert set(finding.splits) <= {"train", "test"}


def test_every_kind_has_its_place_by_severity():
    order = [SEVERITIES.index(kind.severity) for kind in KINDS.values()]
    assert order == sorted(order)


def test_progress_counts_all_parts(clean):
    told = []
    look(clean, progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1] == (31, 31)


def test_threads_change_nothing(clean, monkeypatch):
    shutil.copy(clean / "train" / "cat" / "0.jpg", clean / "test" / "dog" / "copy.jpg")
    odd_files(clean / "train" / "dog")
    found = []
    for threads in (1, 4):
        for module in (scan, near_duplicates):
            monkeypatch.setattr(module, "processors", lambda threads=threads: threads)
        found.append(look(clean).findings)
    assert found[0] == found[1]


def test_a_file_that_cannot_be_read_at_all_is_no_copy_of_another(clean):
    for name in ("a", "b"):
        (clean / "train" / "cat" / f"{name}.jpg").write_bytes(b"the same text in both")
    assert kinds(look(clean)) == ["unreadable", "unreadable"]


def test_all_of_it_unreadable(tmp_path):
    for name in ("a", "b"):
        broken_files(tmp_path / "data" / name)
    assert {"unreadable"} == set(kinds(look(tmp_path / "data")))


@pytest.mark.real
def test_real_photographs(real_data):
    report = look(real_data / "clothing5")
    assert kinds(report) == []
    assert report.n == 300


@pytest.mark.real
@pytest.mark.slow
def test_a_real_conflict(real_data, tmp_path):
    """One photograph of black shorts is also among the skirts, recompressed; nothing else is there twice."""
    import tarfile

    with tarfile.open(real_data / "clothing10.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    report = look(next(path.parent for path in tmp_path.rglob("train")))
    assert kinds(report) == ["near-conflict", "unequal"]
    assert set(report.findings[0].classes) == {"shorts", "skirt"}


def test_limits_are_those_of_the_documentation():
    from tests.conftest import ROOT

    page = (ROOT / "docs" / "check.md").read_text()
    assert f"{check.TINY} pixels" in page
    assert f"fewer than {class_checks.FEW}" in page
    assert {kind for kind in KINDS if f"`{kind}`" not in page} == set()
