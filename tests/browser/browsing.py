"""A store with a small sweep, the server over it, and a browser that looks at it."""

import math
import os
import shutil
from contextlib import contextmanager
from typing import Iterator

import pytest
from page_server import served
from playwright.sync_api import Browser, Page, expect, sync_playwright

from mini_mlflow.compat import mlflow

CHROMIUM = os.environ.get("MINI_MLFLOW_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
SWITCHES = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--no-first-run", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip
expect.set_options(timeout=45000)  # only who fails waits so long: a busy machine is no fault of the page
STEPS = 40
NAMES = [
    "amber", "brisk", "calm", "dusky", "eager", "fleet", "gentle", "hazel", "ivory", "jolly",
    "keen", "lucid", "mellow", "noble", "olive", "proud", "quiet", "rapid", "sable", "tidy",
    "umber", "vivid", "witty", "zesty",
]  # fmt: skip


def log_curves(lr: float, depth: int, seed: int, first: int = 0, last: int = STEPS) -> None:
    """Log what a training logs, into the active run: the best setting is lr 0.003 with depth 8."""
    floor = 0.2 + abs(math.log10(lr / 0.003)) * 0.2 + (0.03 if depth == 4 else 0) + seed * 0.002
    for step in range(first, last):
        fallen = math.exp(-step / 6)
        mlflow.log_metric("val/loss", floor + 2 * fallen, step=step)
        mlflow.log_metric("val/acc", 1 - floor / 3 - 0.8 * fallen, step=step)
        mlflow.log_metric("train/loss", floor / 2 + 2 * fallen + 0.05 * math.sin(step * 1.7), step=step)


def make_sweep(folder: str, count: int = 24) -> None:
    """Fill a store with runs that have ended: four learning rates, two depths, three seeds."""
    os.environ["MINI_MLFLOW_DIR"] = folder
    mlflow.set_experiment("sweep")
    number = 0
    for lr in (0.0003, 0.001, 0.003, 0.01):
        for depth in (4, 8):
            for seed in (0, 1, 2):
                if number == count:
                    return
                mlflow.start_run(run_name="%s-run" % NAMES[number])
                mlflow.log_params({"lr": lr, "depth": depth, "seed": seed, "optimizer": "adamw"})
                log_curves(lr, depth, seed)
                mlflow.end_run({20: "FAILED", 7: "KILLED"}.get(number, "FINISHED"))
                number += 1


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where runs go that a test makes itself."""
    monkeypatch.setenv("MINI_MLFLOW_DIR", str(tmp_path / "mlruns"))
    yield tmp_path / "mlruns"
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.set_experiment("Default")


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The sweep, made once; tests that change it take ``sweep``, a copy."""
    before = os.environ.get("MINI_MLFLOW_DIR")
    folder = tmp_path_factory.mktemp("made") / "mlruns"
    make_sweep(str(folder))
    mlflow.set_experiment("Default")
    if before is None:
        os.environ.pop("MINI_MLFLOW_DIR", None)
    else:
        os.environ["MINI_MLFLOW_DIR"] = before
    return folder


@pytest.fixture
def sweep(made, tmp_path):
    return shutil.copytree(str(made), str(tmp_path / "mlruns"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


class Visitor:
    """Somebody who looks at the page; what the browser complained of is kept."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.complaints = []
        self.forgiven = []  # parts of what the browser may complain of: it does so late, also when all is well again
        self.requests = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self.hear)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("dialog", lambda dialog: self.complaints.append("dialog: " + dialog.message))

    def hear(self, said) -> None:
        if said.type == "error" and not any(part in said.text for part in self.forgiven):
            self.complaints.append(said.text)

    def open(self, view: str = "") -> Page:
        """Open the page with what the address bar holds, and wait until it shows something."""
        self.page.goto(self.address + view)
        self.page.wait_for_selector("header.top")
        return self.page

    def row(self, name: str):
        return self.page.locator("tr[data-id]", has_text=name)

    def names(self):
        return self.page.locator("tbody .c-name bdi").all_inner_texts()

    def add(self, what: str, text: str) -> None:
        """Add a ``tag`` or a ``note`` to the open run."""
        self.page.click(".run .add:has-text('+ %s')" % what)
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")

    def brush(self) -> None:
        """Draw a brush over the upper part of the last axis of Explore."""
        axis = self.page.locator(".ax-hit").last.bounding_box()
        self.page.mouse.move(axis["x"] + 10, axis["y"] + 2)
        self.page.mouse.down()
        self.page.mouse.move(axis["x"] + 10, axis["y"] + axis["height"] * 0.3, steps=6)
        self.page.mouse.up()

    def hash(self) -> str:
        return self.page.evaluate("location.hash")


@contextmanager
def visited(chromium, *folders, viewport=(1440, 900), is_read_only=False, **about):
    """Lend a visitor of a server over some stores; what the browser complains of fails the test."""
    with served(*folders, is_read_only=is_read_only, has_token=False) as lent:
        context = chromium.new_context(viewport={"width": viewport[0], "height": viewport[1]}, **about)
        visitor = Visitor(context.new_page(), "http://%s/" % lent.host)
        visitor.server = lent
        try:
            yield visitor
            assert not visitor.complaints, visitor.complaints
        finally:
            context.close()


@pytest.fixture
def visitor(chromium, sweep):
    with visited(chromium, sweep) as lent:
        yield lent
