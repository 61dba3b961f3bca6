"""Processors, memory and GPUs, with a stand-in for the driver's library."""

from __future__ import annotations

import os
import sys

import psutil
import pytest

from tests.core import nvml
from zoo.core import hardware

BIG, SMALL = nvml.Card("GPU-aaa", "Big Card"), nvml.Card("GPU-bbb", "Small Card", 4000, 90)
SHARED = nvml.Card("GPU-ccc", "Shared Memory Card", None)
SLICES = nvml.Card("MIG-1", "Card MIG 1g", 1000, 900), None, nvml.Card("MIG-2", "Card MIG 2g", 2000, 1900)
SPLIT = nvml.Card("GPU-ddd", "Card", instances=SLICES)


@pytest.fixture
def driver(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return lambda *cards, error=None: monkeypatch.setitem(sys.modules, "pynvml", nvml.module(cards, error=error))


def test_gpus_and_their_memory_in_bytes(driver):
    driver(BIG, SHARED)
    big, shared = hardware.visible_gpus()
    assert big == hardware.Gpu("0", "GPU-aaa", "GPU-aaa", "Big Card", 8000 << 20, 7500 << 20)
    assert (shared.index, shared.total, shared.free) == ("1", None, None)


@pytest.mark.parametrize("error", ["nvmlInit", "nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex", "nvmlDeviceGetUUID"])
def test_a_driver_that_fails_means_no_gpu(driver, error):
    driver(BIG, error=error)
    assert hardware.visible_gpus() == []


@pytest.mark.parametrize(
    ("visible", "uuids"),
    [
        ("1", ["GPU-bbb"]),
        ("1,0", ["GPU-bbb", "GPU-aaa"]),
        ("GPU-b", ["GPU-bbb"]),
        ("0, 7, 1", ["GPU-aaa"]),
        ("MIG-2,MIG-1", ["MIG-2", "MIG-1"]),
        # CUDA takes the first instance of a GPU that is named as a whole.
        ("2", ["MIG-1"]),
        ("GPU-ddd", ["MIG-1"]),
        ("-1", []),
        ("", []),
    ],
)
def test_cuda_visible_devices(driver, monkeypatch, visible, uuids):
    driver(BIG, SMALL, SPLIT)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert [gpu.uuid for gpu in hardware.visible_gpus()] == uuids


def test_a_gpu_in_mig_mode_is_its_instances(driver):
    driver(BIG, SPLIT)
    assert [(gpu.uuid, gpu.index, gpu.free) for gpu in hardware.visible_gpus()] == [
        ("GPU-aaa", "0", 7500 << 20),
        ("MIG-1", "1", 900 << 20),
        ("MIG-2", "1", 1900 << 20),
    ]
    driver(nvml.Card("GPU-ddd", "Card", instances=(None, None)))
    assert hardware.visible_gpus() == []


def test_processors_and_memory():
    assert hardware.processors() == len(os.sched_getaffinity(0))
    assert 0 < hardware.available_memory() <= hardware.total_memory()


@pytest.mark.parametrize(("limit", "left"), [("1000000", 400_000), ("max", None), ("500000", 0), ("", None)])
def test_a_containers_limit_counts(tmp_path, monkeypatch, limit, left):
    (tmp_path / "max").write_text(limit + "\n")
    (tmp_path / "current").write_text("600000\n")
    machine = psutil.virtual_memory()
    monkeypatch.setattr(psutil, "virtual_memory", lambda: machine)
    monkeypatch.setattr(hardware, "_CGROUPS", ((str(tmp_path / "max"), str(tmp_path / "current")),))
    assert hardware.available_memory() == (machine.available if left is None else left)


def test_a_system_without_cgroups(tmp_path, monkeypatch):
    machine = psutil.virtual_memory()
    monkeypatch.setattr(psutil, "virtual_memory", lambda: machine)
    monkeypatch.setattr(hardware, "_CGROUPS", ((str(tmp_path / "none"), str(tmp_path / "none")),))
    assert hardware.available_memory() == machine.available
