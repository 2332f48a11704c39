"""System metrics: what is logged of the machine, by a stand-in of psutil and of NVML, and what never happens."""

import collections
import math
import os
import sys
import threading
import time
import types
import warnings

import pytest

from mini_mlflow import InvalidValueError, Run, StorageWarning, system
from mini_mlflow.errors import MissingPackageError

Memory = collections.namedtuple("Memory", ["total", "used"])
Disk = collections.namedtuple("Disk", ["used", "free", "percent"])
Network = collections.namedtuple("Network", ["bytes_sent", "bytes_recv"])
Rates = collections.namedtuple("Rates", ["gpu", "memory"])
DEADLINE_S = 20

MACHINE = {
    "system/cpu_utilization_percentage", "system/system_memory_usage_megabytes",
    "system/system_memory_usage_percentage", "system/disk_usage_percentage", "system/disk_usage_megabytes",
    "system/disk_available_megabytes", "system/network_receive_megabytes", "system/network_transmit_megabytes",
}  # fmt: skip


class Psutil(types.ModuleType):
    """A machine whose figures are known."""

    def __init__(self):
        super().__init__("psutil")
        self.looks = 0

    def cpu_percent(self):
        self.looks += 1
        return 12.345

    def virtual_memory(self):
        return Memory(4_000_000_000, 1_000_000_000)

    def disk_usage(self, path):
        assert os.path.isdir(path)
        return Disk(3_000_000, 1_000_000, 75.0)

    def net_io_counters(self):
        return Network(5_000_000 + self.looks * 1_000_000, 7_000_000 + self.looks * 2_000_000)


class NotSupportedError(Exception):
    pass


class Nvml(types.ModuleType):
    """A driver with two cards, of which the second does not tell everything."""

    NVML_TEMPERATURE_GPU = 0

    def __init__(self):
        super().__init__("pynvml")
        self.opened = 0
        for name in dir(type(self)):
            if name.startswith("answer_"):
                words = name[len("answer_") :].split("_")
                device = "" if words[0] in ("init", "shutdown") else "Device"
                setattr(self, "nvml" + device + "".join(map(str.capitalize, words)), getattr(self, name))

    def answer_init(self):
        self.opened += 1

    def answer_shutdown(self):
        self.opened -= 1

    def answer_get_count(self):
        return 3

    def answer_get_handle_by_index(self, number):
        return self.told(number, number, refused=(2,))

    def answer_get_utilization_rates(self, handle):
        return self.told(handle, Rates(87, 40), refused=(1,))

    def answer_get_memory_info(self, handle):
        assert handle in (0, 1)
        return Memory(80_000_000_000, 20_000_000_000)

    def answer_get_power_usage(self, handle):
        return self.told(handle, 350_000, refused=(1,))

    def answer_get_enforced_power_limit(self, handle):
        assert handle == 0
        return 700_000

    def answer_get_temperature(self, handle, sensor):
        return {(0, 0): 61, (1, 0): 61}[handle, sensor]

    def told(self, handle, value, refused):
        if handle in refused:
            raise NotSupportedError
        return value


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    psutil = Psutil()
    monkeypatch.setitem(sys.modules, "psutil", psutil)
    monkeypatch.setitem(sys.modules, "pynvml", None)
    return psutil


@pytest.fixture
def run(tmp_path):
    with Run(run_id="r", runs_dir=tmp_path) as run:
        yield run


def logged(run):
    return {key: value for key, value in run.data.metrics.items() if key.startswith("system/")}


def wait_until(is_true):
    deadline = time.monotonic() + DEADLINE_S
    while not is_true():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.005)


def watched(run, count=2):
    """Watch a run until it has *count* values."""
    monitor = system.start(run, 0.01)
    wait_until(lambda: logged(run) and len(run.history("system/cpu_utilization_percentage")) >= count)
    monitor.stop()
    return logged(run)


def test_the_use_of_the_machine_is_logged_under_the_names_that_mlflow_has_for_it(run):
    found = watched(run)
    assert set(found) == MACHINE
    assert found["system/cpu_utilization_percentage"] == 12.35
    assert found["system/system_memory_usage_megabytes"] == 1000
    assert found["system/system_memory_usage_percentage"] == 25
    assert (found["system/disk_usage_megabytes"], found["system/disk_available_megabytes"]) == (3, 1)


def test_the_network_is_counted_from_the_start_of_the_run(run):
    """The machine's own counters begin when it was switched on."""
    watched(run)
    rows = run.history("system/network_receive_megabytes")
    assert [row.value for row in rows] == [2.0 * number for number in range(1, len(rows) + 1)]
    assert run.history("system/network_transmit_megabytes")[0].value == 1


def test_steps_count_up_and_the_values_of_one_look_have_one_time(run):
    watched(run, 3)
    rows = {key: run.history(key) for key in MACHINE}
    assert all([row.step for row in each] == list(range(len(each))) for each in rows.values())
    assert len({tuple(row.timestamp for row in each) for each in rows.values()}) == 1


def test_a_run_that_is_continued_goes_on_with_the_next_step(tmp_path, run):
    watched(run)
    run.end()
    again = Run(run_id="r", runs_dir=tmp_path)
    count = len(again.history("system/cpu_utilization_percentage"))
    watched(again, count + 2)
    steps = [row.step for row in again.history("system/cpu_utilization_percentage")]
    assert steps == list(range(len(steps)))
    again.end()


def test_the_keys_have_a_slash_and_lie_in_the_file_that_other_doors_would_write(run, tmp_path):
    """Rule K2."""
    watched(run)
    assert (tmp_path / "0" / "r" / "metrics" / "system%2Fcpu_utilization_percentage.json").is_file()


def test_gpus_are_logged_as_far_as_their_driver_tells(run, monkeypatch):
    nvml = Nvml()
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    found = watched(run)
    assert {key: value for key, value in found.items() if "gpu" in key} == {
        "system/gpu_0_utilization_percentage": 87,
        "system/gpu_0_memory_usage_megabytes": 20000,
        "system/gpu_0_memory_usage_percentage": 25,
        "system/gpu_0_power_usage_watts": 350,
        "system/gpu_0_power_usage_percentage": 50,
        "system/gpu_0_temperature_celsius": 61,
        "system/gpu_1_memory_usage_megabytes": 20000,
        "system/gpu_1_memory_usage_percentage": 25,
        "system/gpu_1_temperature_celsius": 61,
    }
    assert nvml.opened == 0


@pytest.mark.parametrize("fault", ["nvmlInit", "nvmlDeviceGetCount"])
def test_without_a_working_driver_there_are_no_gpus_and_nothing_is_said(run, monkeypatch, fault):
    nvml = Nvml()
    monkeypatch.setattr(nvml, fault, lambda: 1 / 0)
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    assert set(watched(run)) == MACHINE


def test_without_psutil_the_error_names_the_extra_to_install(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "psutil", None)
    with pytest.raises(ImportError, match=r"pip install 'mini-mlflow\[system\]'") as caught:
        system.start(run)
    assert isinstance(caught.value, MissingPackageError)
    assert caught.value.package == "psutil"
    with pytest.raises(MissingPackageError):
        system.check_installed()


@pytest.mark.parametrize("interval_s", [0, -1, math.nan, math.inf, "10", None, True])
def test_an_interval_that_is_no_time_is_refused(run, interval_s):
    with pytest.raises(InvalidValueError, match="number of seconds above 0"):
        system.start(run, interval_s)


def test_what_fails_is_left_out_with_one_warning_and_the_rest_goes_on(run, machine, monkeypatch):
    asked = []
    monkeypatch.setattr(machine, "disk_usage", lambda path: asked.append(path) or 1 / 0)
    monkeypatch.setattr(machine, "net_io_counters", lambda: 1 / 0)
    with pytest.warns(StorageWarning, match="left out from now on: ZeroDivisionError") as caught:
        found = watched(run, 3)
    assert len(caught) == len(asked) == 1
    assert found
    assert not any("disk" in key or "network" in key for key in found)


def test_where_warnings_are_errors_nothing_is_raised_into_the_training(run, machine, monkeypatch):
    monkeypatch.setattr(machine, "cpu_percent", lambda: 1 / 0)
    monkeypatch.setattr(threading, "excepthook", lambda args: pytest.fail(str(args)), raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        monitor = system.start(run, 0.01)
        wait_until(lambda: logged(run))
        monitor.stop()
    assert "system/system_memory_usage_megabytes" in logged(run)


def test_a_machine_without_a_network_has_no_such_metrics(run, machine, monkeypatch):
    monkeypatch.setattr(machine, "net_io_counters", lambda: None)
    monitor = system.start(run, 0.01)
    wait_until(lambda: logged(run))
    monitor.stop()
    assert set(logged(run)) == {key for key in MACHINE if "network" not in key}


def test_after_stop_no_thread_is_left_and_nothing_more_is_logged(run):
    watched(run)
    assert [each for each in threading.enumerate() if "system metrics" in each.name] == []
    assert len(run.history("system/cpu_utilization_percentage")) >= 2


def test_a_run_shorter_than_the_interval_has_a_value_of_its_end(run, monkeypatch):
    monkeypatch.setattr(system, "_LEAST_S", 0)
    monitor = system.start(run, 1000)
    monitor.stop()
    assert set(logged(run)) == MACHINE


def test_a_run_that_ends_without_stopping_it_ends_the_thread_quietly(tmp_path):
    run = Run(run_id="r", runs_dir=tmp_path)
    monitor = system.start(run, 0.01)
    wait_until(lambda: logged(run))
    run.end()
    wait_until(lambda: not monitor._thread.is_alive())
    assert run.status == "FINISHED"


def test_the_end_of_a_run_stops_its_monitor_first(tmp_path):
    run = Run(run_id="r", runs_dir=tmp_path)
    monitor = system.start(run, 0.01)
    run.accompany(monitor)
    wait_until(lambda: logged(run))
    run.end()
    assert not monitor._thread.is_alive()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_h16_a_forked_child_has_no_monitor_and_stopping_it_there_does_nothing(run):
    monitor = system.start(run, 0.01)
    wait_until(lambda: logged(run))
    child = os.fork()
    if not child:
        monitor.stop()
        os._exit(0 if not monitor._stopped.is_set() else 1)
    assert os.waitpid(child, 0)[1] == 0
    before = len(run.history("system/cpu_utilization_percentage"))
    wait_until(lambda: len(run.history("system/cpu_utilization_percentage")) > before)
    monitor.stop()


def test_a_driver_that_hangs_does_not_hang_the_end_of_a_run(run, machine, monkeypatch):
    released = threading.Event()
    monkeypatch.setattr(system, "_PATIENCE_S", 0.01)
    monkeypatch.setattr(machine, "virtual_memory", released.wait)
    monitor = system.start(run, 0.01)
    wait_until(lambda: machine.looks)
    monitor.stop()
    assert monitor._thread.is_alive()
    monkeypatch.setattr(machine, "virtual_memory", lambda: Memory(1, 1))
    with pytest.warns(StorageWarning):
        released.set()
        monitor._thread.join(DEADLINE_S)
