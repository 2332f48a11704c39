"""What a page over several stores shows, and under whose name."""

import pytest
from browsing import visited
from playwright.sync_api import expect

from mini_mlflow.compat import mlflow


@pytest.fixture
def stores(tmp_path, monkeypatch):
    """Two stores with a run each, the newest in the second one, and one that is not there yet."""
    for name in ("s2", "s3"):
        monkeypatch.setenv("MINI_MLFLOW_DIR", str(tmp_path / name))
        mlflow.set_experiment("experiment of " + name)
        with mlflow.start_run(run_name="run-of-" + name):
            for step in range(10):
                mlflow.log_metric("loss", 1 / (1 + step), step=step)
    yield [tmp_path / name for name in ("s2", "s3", "empty")]
    mlflow.set_experiment("Default")


def test_the_newest_run_stands_under_the_name_of_its_own_store_and_stays(chromium, stores):
    with visited(chromium, *stores) as visitor:
        page = visitor.open()
        expect(page.locator(".card.drawn")).to_have_count(1)
        for _ in range(2):
            assert visitor.names() == ["run-of-s3"]
            assert page.locator(".crumb .store").inner_text().endswith("s3")
            assert page.locator(".crumb .exp").inner_text() == "experiment of s3"
            page.wait_for_timeout(3000)  # a round of looking for news
        assert visitor.hash() == ""


def test_an_experiment_of_another_store_is_named_in_the_address_with_its_store(chromium, stores):
    with visited(chromium, *stores) as visitor:
        page = visitor.open()
        expect(visitor.row("run-of-s3")).to_be_visible()
        for name in ("s2", "s3", "s2"):
            page.click("button.exp")
            page.get_by_role("button", name="experiment of " + name).last.click()
            expect(visitor.row("run-of-" + name)).to_be_visible()
            assert "i=%d" % ("s2", "s3").index(name) in visitor.hash()
            page.reload()
            expect(visitor.row("run-of-" + name)).to_be_visible()
            assert page.locator(".crumb .store").inner_text().endswith(name)
        page.click("a.brand")
        expect(visitor.row("run-of-s3")).to_be_visible()
        assert page.locator(".crumb .store").inner_text().endswith("s3")


def test_an_experiment_without_a_store_is_one_of_the_first_store(chromium, stores):
    with visited(chromium, *stores) as visitor:
        visitor.open()
        expect(visitor.row("run-of-s3")).to_be_visible()
        experiment = visitor.page.evaluate(
            "fetch('/api/experiments').then(answer => answer.json()).then(told => told.experiments.find("
            "each => each.name === 'experiment of s2').ref.split('/')[1])"
        )
        visitor.page.evaluate("hash => { location.hash = hash; }", "e=" + experiment)
        expect(visitor.row("run-of-s2")).to_be_visible()


def test_the_first_run_of_all_stands_under_the_name_of_the_store_that_it_went_into(chromium, tmp_path, monkeypatch):
    stores = [tmp_path / "first", tmp_path / "second"]
    with visited(chromium, *stores) as visitor:
        page = visitor.open()
        expect(page.locator("main")).to_contain_text("No runs yet in")
        monkeypatch.setenv("MINI_MLFLOW_DIR", str(stores[1]))
        mlflow.set_experiment("new")
        with mlflow.start_run(run_name="the-first"):
            mlflow.log_metric("loss", 0.5)
        mlflow.set_experiment("Default")
        expect(visitor.row("the-first")).to_be_visible()
        assert page.locator(".crumb .store").inner_text().endswith("second")
        assert page.locator(".crumb .exp").inner_text() == "new"
