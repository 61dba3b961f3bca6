"""Which device is selected, with a stand-in for the driver's library."""

from __future__ import annotations

import json
import os
import sys

import pytest

from tests.core import nvml
from zoo.core import hardware
from zoo.core.errors import UnavailableError, UsageError
from zoo.engines import devices

TWO_CARDS = nvml.Card("GPU-aaa", "Big Card"), nvml.Card("GPU-bbb", "Display Card", 8000, 90)


@pytest.fixture
def driver(monkeypatch):
    """Have the driver's library list the GPUs that the test wants."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return lambda cards: monkeypatch.setitem(sys.modules, "pynvml", nvml.module(cards))


@pytest.fixture
def cuda_backend(monkeypatch):
    """As if TensorFlow had been built for the cards."""
    monkeypatch.setattr(devices, "_built_for_gpu", lambda backend: backend == "tensorflow")
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.delitem(sys.modules, "keras", raising=False)


def test_without_a_gpu_it_is_the_cpu(monkeypatch):
    monkeypatch.setattr(hardware, "visible_gpus", list)
    assert devices.select("auto").name == "cpu"
    (device,) = devices.survey("auto")
    assert (device.name, device.reason) == ("cpu", "there is no GPU here")
    assert device.memory_total > device.memory_free > 0


def test_auto_takes_the_card_with_most_room_and_leaves_the_display_card(driver, cuda_backend):
    driver(TWO_CARDS)
    cpu, big, display = devices.survey("auto")
    assert (cpu.selected, big.selected, display.selected) == (False, True, False)
    assert "tensorflow" in big.reason
    assert "display card" in display.reason
    assert big.memory_free == 7500 * 2**20


def test_a_card_that_no_backend_can_use_is_left_and_this_is_said(driver, cuda_backend, monkeypatch):
    driver(TWO_CARDS)
    monkeypatch.setattr(devices, "_built_for_gpu", lambda backend: False)
    assert devices.select("auto").name == "cpu"
    assert "no installed Keras backend" in devices.select("auto").reason
    with pytest.raises(UnavailableError, match="no installed Keras backend"):
        devices.select("gpu")


def test_a_card_is_taken_by_number(driver, cuda_backend):
    driver(TWO_CARDS)
    assert devices.select("gpu:1").model == "Display Card"


@pytest.mark.parametrize("request_", ["gpu", "gpu:0", "gpu:7"])
def test_a_gpu_that_is_not_there_is_an_error_and_never_the_cpu(monkeypatch, request_):
    monkeypatch.setattr(hardware, "visible_gpus", list)
    with pytest.raises(UnavailableError):
        devices.select(request_)


@pytest.mark.parametrize("request_", ["gpux", "tpu", "gpu:", "gpu:-1", "cuda:0", "", "cpu:0", "gpu:two"])
def test_another_word_is_a_usage_error(request_):
    with pytest.raises(UsageError, match="Received"):
        devices.select(request_)


def test_hidden_cards_are_not_counted_and_numbers_follow(driver, cuda_backend, monkeypatch):
    driver(TWO_CARDS)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert [device.model for device in devices.available()[1:]] == ["Display Card"]
    assert devices.select("gpu:0").model == "Display Card"
    with pytest.raises(UnavailableError):
        devices.select("gpu:1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert len(devices.available()) == 1


def test_prepare_places_by_the_cards_own_identifier(driver, cuda_backend, monkeypatch):
    driver(TWO_CARDS)
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    for name in ("KERAS_BACKEND", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "TF_FORCE_GPU_ALLOW_GROWTH"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    assert devices.prepare(devices.select("gpu:1")) == "tensorflow"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-bbb"
    assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"


def test_a_backend_that_is_not_there_is_a_sentence(monkeypatch):
    monkeypatch.setattr(devices, "loaded_backend", lambda: None)
    with pytest.raises(UnavailableError, match=r"Expected KERAS_BACKEND tensorflow, jax, torch\. Received: theano"):
        devices.prepare(devices.available()[0], backend="theano")


# Several devices


def test_several_cards_are_taken_in_the_order_asked_for(driver, cuda_backend):
    driver(TWO_CARDS)
    assert [device.name for device in devices.select_several(" gpu:1 , GPU:0")] == ["gpu:1", "gpu:0"]
    assert [device.name for device in devices.select_several("gpu:all")] == ["gpu:0", "gpu:1"]
    assert [device.name for device in devices.select_several("gpu")] == ["gpu:0"]
    rows = devices.survey("gpu:0,gpu:1")
    assert [row.selected for row in rows] == [False, True, True]
    assert {row.reason for row in rows[1:]} == {"requested by name"}


def test_what_runs_on_one_device_takes_no_list(driver, cuda_backend):
    driver(TWO_CARDS)
    with pytest.raises(UsageError, match=r"gpu:0,gpu:1 is 2 devices.*name one"):
        devices.select("gpu:0,gpu:1")
    driver(TWO_CARDS[:1])
    assert devices.select("gpu:all").name == "gpu:0"


@pytest.mark.parametrize("request_", ["gpu:0,gpu:2", "gpu:0,gpu:1,gpu:2"])
def test_more_cards_than_there_are_is_an_error_that_names_those_there_are(driver, cuda_backend, request_):
    driver(TWO_CARDS)
    with pytest.raises(UnavailableError, match=r"no gpu:2 here \(gpu:0, gpu:1\)"):
        devices.select_several(request_)


@pytest.mark.parametrize("request_", ["gpu:0,gpu:1", "gpu:all"])
def test_cards_that_are_not_there_are_an_error(monkeypatch, request_):
    monkeypatch.setattr(hardware, "visible_gpus", list)
    with pytest.raises(UnavailableError):
        devices.select_several(request_)


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ("gpu:0,gpu:0", "names gpu:0 twice"),
        ("gpu:0, gpu:00", "no gpu:00"),
        ("gpu:0,cpu", "all gpu:N or all cpu:N"),
        ("gpu:0,cpu:0", "all gpu:N or all cpu:N"),
        ("gpu:0,gpu", "all gpu:N or all cpu:N"),
        ("auto,gpu:0", "all gpu:N or all cpu:N"),
        ("gpu:0,", "all gpu:N or all cpu:N"),
        ("gpu:all,gpu:0", "all gpu:N or all cpu:N"),
        (",", "all gpu:N or all cpu:N"),
        ("cpu:1,cpu:2", "written cpu:0,cpu:1"),
        ("cpu:0", "Received: cpu:0"),
    ],
)
def test_a_list_that_makes_no_sense_is_a_sentence(driver, cuda_backend, request_, sentence):
    driver(TWO_CARDS)
    with pytest.raises((UsageError, UnavailableError), match=sentence):
        devices.select_several(request_)


def test_the_cpu_can_be_several_devices(monkeypatch):
    monkeypatch.setattr(hardware, "visible_gpus", list)
    chosen = devices.select_several("cpu:0,cpu:1")
    assert [(device.name, device.kind) for device in chosen] == [("cpu:0", "cpu"), ("cpu:1", "cpu")]
    assert [device.name for device in devices.survey("cpu:1,cpu:0") if device.selected] == ["cpu:0", "cpu:1"]


def clear(monkeypatch, *more):
    """An environment that is put back after the test, as if no framework had been imported."""
    for name in (*more, "KERAS_BACKEND", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "XLA_FLAGS", "JAX_PLATFORMS"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    for name in ("tensorflow", "jax", "keras"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_prepare_shows_all_cards_in_their_order(driver, cuda_backend, monkeypatch):
    driver(TWO_CARDS)
    clear(monkeypatch)
    assert devices.prepare(*devices.select_several("gpu:1,gpu:0")) == "tensorflow"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-bbb,GPU-aaa"


def test_prepare_tells_jax_of_the_parts_of_the_cpu(monkeypatch):
    clear(monkeypatch)
    chosen = devices.select_several("cpu:0,cpu:1,cpu:2")
    monkeypatch.setattr(devices.importlib.util, "find_spec", lambda name: name)
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=false")
    assert devices.prepare(*chosen, backend="jax") == "jax"
    flags = os.environ["XLA_FLAGS"].split()
    assert flags == ["--xla_cpu_enable_fast_math=false", "--xla_force_host_platform_device_count=3"]


def test_pytorch_learns_on_one_device_and_this_is_said(monkeypatch):
    clear(monkeypatch)
    with pytest.raises(UnavailableError, match=r"Keras on torch trains on one device.*tensorflow or jax"):
        devices.prepare(*devices.select_several("cpu:0,cpu:1"), backend="torch")


def test_commands_that_take_one_device_say_so(zoo, tmp_path):
    done = zoo("classify", tmp_path, "-m", "lenet5", "--device", "cpu:0,cpu:1")
    assert done.returncode == 2
    assert b"only zoo train and zoo finetune take several" in done.stderr


def test_the_command_marks_all_that_are_asked_for(zoo):
    done = zoo("devices", "--device", "cpu:0,cpu:1", "--format", "json")
    rows = json.loads(done.stdout)
    assert [row["name"] for row in rows if row["selected"]] == ["cpu:0", "cpu:1"]
