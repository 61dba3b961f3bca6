"""``.projector``: what TensorBoard shows, and the image of images."""

import numpy as np
import pytest
from PIL import Image

from tests.drawn import drawing
from tests.vectors import made
from zoo.core.errors import UsageError
from zoo.vectors import open_vectors
from zoo.vectors.content import Entry
from zoo.vectors.formats import sprite


@pytest.fixture
def images(tmp_path):
    """Five images, of which one is gone and one is none."""
    entries = []
    for number in range(5):
        path = tmp_path / f"{number}.png"
        Image.fromarray(np.full((40, 60, 3), 40 * number, np.uint8)).save(path)
        entries.append(Entry(str(path)))
    (tmp_path / "2.png").unlink()
    (tmp_path / "3.png").write_text("no image")
    return entries


def test_the_files(tmp_path):
    content = made.content(20, shapes=((3,), (2,)))
    made.write(content, tmp_path / "f.projector")
    assert sorted(path.name for path in (tmp_path / "f.projector").iterdir()) == [
        "about.json",
        "metadata.tsv",
        "projector_config.pbtxt",
        "rows.npy",
        "sprite.png",
        "tensors.tsv",
        "tensors_b_x0.tsv",
    ]
    values = np.loadtxt(tmp_path / "f.projector" / "tensors.tsv", delimiter="\t", dtype=np.float32)
    np.testing.assert_array_equal(values, content.arrays[0])
    lines = (tmp_path / "f.projector" / "metadata.tsv").read_text(errors="surrogateescape").splitlines()
    assert len(lines) == 20
    assert not any("\t" in line for line in lines)
    with Image.open(tmp_path / "f.projector" / "sprite.png") as image:
        assert image.size == (5 * 64, 5 * 64)


def test_tensorboard_understands_it(tmp_path):
    projector = pytest.importorskip("tensorboard.plugins.projector.projector_config_pb2")
    text_format = pytest.importorskip("google.protobuf.text_format")
    made.write(made.content(20, shapes=((3,), (2,))), tmp_path / "f.projector")
    config = projector.ProjectorConfig()
    text_format.Parse((tmp_path / "f.projector" / "projector_config.pbtxt").read_text(), config)
    assert [embedding.tensor_path for embedding in config.embeddings] == ["tensors.tsv", "tensors_b_x0.tsv"]
    assert list(config.embeddings[0].sprite.single_image_dim) == [64, 64]
    for embedding in config.embeddings:
        for name in (embedding.tensor_path, embedding.metadata_path, embedding.sprite.image_path):
            assert (tmp_path / "f.projector" / name).is_file()


def test_the_sprite(images, tmp_path):
    sprite.write(iter(images), 5, tmp_path / "sprite.png")
    with Image.open(tmp_path / "sprite.png") as image:
        assert (image.mode, image.size) == ("RGB", (192, 192))
        pixels = np.asarray(image)
    tiles = pixels.reshape(3, 64, 3, 64, 3).swapaxes(1, 2).reshape(9, 64, 64, 3)
    colours = [set(tile.ravel().tolist()) for tile in tiles]
    assert colours == [{0}, {40}, {200}, {200}, {160}, {255}, {255}, {255}, {255}]


def test_any_pixels_come_back(tmp_path):
    path = tmp_path / "drawing.png"
    Image.fromarray(drawing(64, 64)).save(path)
    sprite.write(iter([Entry(str(path))]), 1, tmp_path / "sprite.png")
    with Image.open(tmp_path / "sprite.png") as image:
        np.testing.assert_array_equal(np.asarray(image), drawing(64, 64))


@pytest.mark.parametrize(
    ("count", "side"), [(1, 64), (5, 64), (16384, 64), (16385, 63), (100_000, 25), (1 << 20, 8), ((1 << 20) + 1, 0)]
)
def test_the_size_of_a_small_image(count, side):
    assert sprite.side(count) == side
    assert sprite.columns(count) ** 2 >= count
    assert sprite.columns(count) * side <= 8192


def test_too_many_images_for_a_sprite(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(sprite, "LIMIT", 16)
    with caplog.at_level("INFO", logger="zoo"):
        made.write(made.content(20), tmp_path / "f.projector")
    assert "20 images are too many" in caplog.text
    assert "sprite" not in (tmp_path / "f.projector" / "projector_config.pbtxt").read_text()
    made.check(made.content(20), tmp_path / "f.projector")


def test_a_folder_of_others(tmp_path):
    (tmp_path / "tensors.tsv").write_text("1\t2\n3\t4\n")
    with open_vectors(tmp_path) as vectors:
        assert vectors.read(0, 2).tolist() == [[1, 2], [3, 4]]
        assert list(vectors.paths) == ["row 0", "row 1"]
    (tmp_path / "metadata.tsv").write_text("a\nb\n")
    with open_vectors(tmp_path) as vectors:
        assert list(vectors.paths) == ["a", "b"]


def test_damaged_folders(tmp_path):
    made.write(made.content(5), tmp_path / "f.projector")
    folder = tmp_path / "f.projector"
    with open(folder / "tensors.tsv", "a") as file:
        file.write("1\t2\n")
    with pytest.raises(UsageError, match=r"tensors\.tsv has no vector in line 6: 2 numbers where there should be 5"):
        open_vectors(folder)
    lines = (folder / "tensors.tsv").read_text().splitlines(keepends=True)
    (folder / "tensors.tsv").write_text("".join(lines[:4]))
    with pytest.raises(UsageError, match=r"about\.json lists 5 vectors, and there are 4"):
        open_vectors(folder)
    (folder / "tensors.tsv").write_text("".join(lines[:5]))
    (folder / "metadata.tsv").write_text("a\n")
    with pytest.raises(UsageError, match="5 vectors and the names of 1"):
        open_vectors(folder)
    (folder / "about.json").write_text("{")
    with pytest.raises(UsageError, match=r"about\.json is damaged"):
        open_vectors(folder)


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    made.extract(tmp_path / "f.projector", made.images(tmp_path / "p", 4))
    (tmp_path / "f.projector" / "tensors_old.tsv").write_text("")
    made.extract(tmp_path / "f.projector", made.images(tmp_path / "p", 9), mode="overwrite")
    assert not (tmp_path / "f.projector" / "tensors_old.tsv").exists()
    with open_vectors(tmp_path / "f.projector") as vectors:
        assert vectors.count == 7
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.projector", "p"]
