"""How busy is the machine while a run goes on: CPU, memory, disk, network and GPUs, as metrics of the run?"""

from __future__ import annotations

import importlib
import math
import os
import threading
import warnings
from time import monotonic

from .clock import now_ms
from .errors import InvalidValueError, MiniMLflowError, MissingPackageError, StorageWarning, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List

    from .run import Run
    from .store.writer import RunWriter

    Source = Callable[[], Dict[str, float]]

INTERVAL_S = 10.0
PREFIX = "system/"  # the names below are MLflow's, but for the temperature, which it does not have
_FIRST_S = 1.0  # a short run, too, shall have a first value
_LEAST_S = 0.1  # over less than this a CPU's use is chance
_PATIENCE_S = 2.0
_MEGABYTE = 1e6


def start(run: Run, interval_s: float = INTERVAL_S) -> SystemMonitor:
    """Log the use of the machine into a run from a thread in the background, until the run ends.

    Args:
        run: The run. It gets metrics such as ``system/cpu_utilization_percentage``, of the whole machine.
        interval_s: Seconds between two values, above 0. The first comes after a second at the latest, the last when the
            run ends.

    Returns:
        The monitor; its ``stop()`` ends it earlier.

    Raises:
        MissingPackageError: psutil is not installed; an ImportError.
        InvalidValueError: *interval_s* is not a number above 0.
    """
    if type(interval_s) not in (int, float) or not 0 < interval_s < math.inf:
        message = "The interval of system metrics must be a number of seconds above 0, got %s. Give one such as 10."
        raise InvalidValueError(message % shown(interval_s), value=interval_s)
    return SystemMonitor(run.writer, float(interval_s), check_installed())


def check_installed() -> Any:
    """Return psutil.

    Raises:
        MissingPackageError: It is not installed.
    """
    try:
        return importlib.import_module("psutil")
    except ImportError as error:
        message = (
            "System metrics need psutil, which is not installed. Run: pip install 'mini-mlflow[system]' - or leave out "
            "system_metrics=True and MINI_MLFLOW_SYSTEM_METRICS."
        )
        raise MissingPackageError(message, package="psutil") from error


class SystemMonitor:
    """The thread that logs the use of the machine into one run. Whatever fails in it, training does not see it."""

    def __init__(self, writer: RunWriter, interval_s: float, psutil: Any) -> None:
        """Start it.

        Args:
            writer: The hand of this process in the run's files. The thread ends when that is closed.
            interval_s: Seconds between two values.
            psutil: The module.
        """
        self._writer = writer
        self._interval_s = interval_s
        self._pid = os.getpid()
        self._stopped = threading.Event()
        self._has_warned = False
        self._psutil = psutil
        self._thread = threading.Thread(target=self._watch, name="mini-mlflow system metrics", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Log a last value and stop. In a forked child there is nothing to stop."""
        if os.getpid() == self._pid:
            self._stopped.set()
            self._thread.join(_PATIENCE_S)  # a driver that hangs must not hang the end of a run

    def _watch(self) -> None:
        gpus = Gpus()
        try:
            sources = [*_machine_sources(self._psutil, self._writer.folder), gpus.sample]
            self._sample(sources)  # the first look tells nothing: use of a CPU is counted between two
            looked_at, wait_s = monotonic(), min(_FIRST_S, self._interval_s)
            while not self._stopped.wait(wait_s):
                self._log(self._sample(sources))
                looked_at, wait_s = monotonic(), self._interval_s
            if monotonic() - looked_at >= _LEAST_S:
                self._log(self._sample(sources))
        except MiniMLflowError:
            pass  # the run has ended
        finally:
            gpus.close()

    def _sample(self, sources: List[Source]) -> Dict[str, float]:
        """Return what the sources say now; one that fails is not asked again."""
        sample: Dict[str, float] = {}
        for source in list(sources):
            try:
                sample.update(source())
            except Exception as error:  # noqa: BLE001 - a driver or a container may refuse in any way
                sources.remove(source)
                message = "Some system metrics of the run in %s are left out from now on: %r"
                self._warn(message % (self._writer.folder, error))
        return sample

    def _log(self, sample: Dict[str, float]) -> None:
        now = now_ms()
        for name, value in sample.items():
            self._writer.write_number(PREFIX + name, round(value, 2), timestamp=now)

    def _warn(self, message: str) -> None:
        if not self._has_warned:
            self._has_warned = True
            try:
                warnings.warn(message, StorageWarning, stacklevel=2)
            except StorageWarning:
                pass  # where warnings are errors: nobody could catch one that this thread raises


class Gpus:
    """The GPUs of NVIDIA's that this machine has, by NVML's numbers; none without its driver or nvidia-ml-py."""

    def __init__(self) -> None:
        """Find them."""
        self._handles: List[Any] = []
        try:
            self._nvml: Any = importlib.import_module("pynvml")
            self._nvml.nvmlInit()
        except Exception:  # noqa: BLE001 - whatever is missing, there is no GPU that could be asked
            self._nvml = None
            return
        count = _ask(self._nvml.nvmlDeviceGetCount) or 0
        self._handles = [_ask(self._nvml.nvmlDeviceGetHandleByIndex, number) for number in range(count)]

    def sample(self) -> Dict[str, float]:
        """Return use, memory, power and temperature of each, as far as it tells them."""
        found = {}
        for number, handle in enumerate(self._handles):
            if handle is not None:
                found.update({"gpu_%d_%s" % (number, name): value for name, value in self._sample_one(handle).items()})
        return found

    def close(self) -> None:
        """Let go of the driver."""
        if self._nvml is not None:
            _ask(self._nvml.nvmlShutdown)

    def _sample_one(self, handle: Any) -> Dict[str, float]:
        nvml = self._nvml
        found: Dict[str, float] = {}
        rates = _ask(nvml.nvmlDeviceGetUtilizationRates, handle)
        if rates is not None:
            found["utilization_percentage"] = rates.gpu
        memory = _ask(nvml.nvmlDeviceGetMemoryInfo, handle)
        if memory is not None:
            found["memory_usage_megabytes"] = memory.used / _MEGABYTE
            if memory.total:
                found["memory_usage_percentage"] = memory.used / memory.total * 100
        power = _ask(nvml.nvmlDeviceGetPowerUsage, handle)
        if power is not None:
            found["power_usage_watts"] = power / 1000
            limit = _ask(nvml.nvmlDeviceGetEnforcedPowerLimit, handle)
            if limit:
                found["power_usage_percentage"] = power / limit * 100
        temperature = _ask(nvml.nvmlDeviceGetTemperature, handle, nvml.NVML_TEMPERATURE_GPU)
        if temperature is not None:
            found["temperature_celsius"] = temperature
        return found


def _machine_sources(psutil: Any, folder: str) -> List[Source]:
    """Return what tells the use of the whole machine, and of the disk that *folder* lies on."""
    counted_before: List[Any] = []

    def cpu() -> Dict[str, float]:
        return {"cpu_utilization_percentage": psutil.cpu_percent()}

    def memory() -> Dict[str, float]:
        found = psutil.virtual_memory()
        return {
            "system_memory_usage_megabytes": found.used / _MEGABYTE,
            "system_memory_usage_percentage": found.used / found.total * 100,
        }

    def disk() -> Dict[str, float]:
        found = psutil.disk_usage(folder)
        return {
            "disk_usage_percentage": found.percent,
            "disk_usage_megabytes": found.used / _MEGABYTE,
            "disk_available_megabytes": found.free / _MEGABYTE,
        }

    def network() -> Dict[str, float]:
        found = psutil.net_io_counters()
        if found is None:  # a container without a network
            return {}
        if not counted_before:
            counted_before.append(found)
        return {
            "network_receive_megabytes": (found.bytes_recv - counted_before[0].bytes_recv) / _MEGABYTE,
            "network_transmit_megabytes": (found.bytes_sent - counted_before[0].bytes_sent) / _MEGABYTE,
        }

    return [cpu, memory, disk, network]


def _ask(question: Callable[..., Any], *arguments: Any) -> Any:
    """Return the driver's answer, None where it has none: not every card tells everything."""
    try:
        return question(*arguments)
    except Exception:  # noqa: BLE001 - its errors are of a class of its own
        return None
