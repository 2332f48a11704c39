"""System metrics by the real psutil, and by the real nvidia-ml-py where there is a card."""

import os
import subprocess
import sys
import time

import psutil
import pynvml
import pytest

from mini_mlflow import Run, start_run, system


def watched(run):
    deadline = time.monotonic() + 30
    while len(run.data.metrics) < 8:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    run.end()
    return run.data.metrics


def cards():
    try:
        pynvml.nvmlInit()
        return pynvml.nvmlDeviceGetCount()
    except pynvml.NVMLError:
        return 0


def test_the_figures_of_this_machine_are_those_of_psutil(tmp_path):
    run = Run(run_id="r", runs_dir=tmp_path)
    run.accompany(system.start(run, 0.05))
    found = watched(run)
    assert 0 <= found["system/cpu_utilization_percentage"] <= 100
    assert 0 < found["system/system_memory_usage_megabytes"] < psutil.virtual_memory().total / 1e6
    assert 0 <= found["system/disk_usage_percentage"] <= 100
    assert found["system/network_receive_megabytes"] >= 0


@pytest.mark.skipif(cards() > 0, reason="this machine has a card of NVIDIA's")
def test_the_real_library_without_a_driver_means_no_gpus():
    assert system.Gpus().sample() == {}


@pytest.mark.skipif(cards() == 0, reason="this machine has no card of NVIDIA's")
def test_a_real_card_tells_its_use_memory_power_and_temperature():
    gpus = system.Gpus()
    found = gpus.sample()
    gpus.close()
    assert 0 <= found["gpu_0_utilization_percentage"] <= 100
    assert 0 < found["gpu_0_memory_usage_percentage"] <= 100
    assert found["gpu_0_power_usage_watts"] > 0
    assert 0 < found["gpu_0_temperature_celsius"] < 120


def test_a_script_asks_for_them_by_one_argument_or_by_the_environment(tmp_path):
    code = "import sys, time; from mini_mlflow import start_run\nwith start_run(run_id='r'): time.sleep(0.3)"
    environment = dict(os.environ, MINI_MLFLOW_SYSTEM_METRICS="0.05", MINI_MLFLOW_DIR=str(tmp_path / "a"))
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert "system/cpu_utilization_percentage" in Run(run_id="r", runs_dir=tmp_path / "a").data.metrics
    run = start_run(run_id="r", runs_dir=tmp_path / "b", system_metrics=True)
    watched(run)
