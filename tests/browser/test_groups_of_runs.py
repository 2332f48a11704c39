"""Groups in the table: how many runs stand behind a number, what they are called, and how many there are."""

import pytest
from browsing import visited
from playwright.sync_api import expect

from mini_mlflow.compat import mlflow


def log_run(status, **params):
    """Log a run of two values that ends so; one that is RUNNING goes on."""
    run = mlflow.start_run(run_name="run-%s" % "-".join(map(str, params.values())))
    mlflow.log_params(params)
    for step in range(2):
        mlflow.log_metric("val/loss", params["lr"] + params["seed"] / 10 + 1 - step, step=step)
    if status != "RUNNING":
        mlflow.end_run(status)
    return run


@pytest.fixture
def mixed(folder):
    mlflow.set_experiment("mixed")
    for lr in (1, 2):
        for seed in (0, 1):
            log_run("KILLED" if (lr, seed) == (2, 1) else "FINISHED", lr=lr, seed=seed)
    log_run("FAILED", lr=3, seed=0)
    log_run("FAILED", lr=3, seed=1)
    log_run("RUNNING", lr=4, seed=0)
    return folder


def test_a_mean_says_of_how_many_runs_it_is_and_one_of_none_that_has_finished_is_grey(chromium, mixed):
    with visited(chromium, mixed) as visitor:
        page = visitor.open("#g=lr")
        groups = page.locator("tr.grp")
        expect(groups).to_have_count(4)
        whole, part, failed, running = (groups.nth(place).locator("td.num").first for place in range(4))
        expect(whole).to_contain_text("±")
        expect(whole.locator(".of")).to_have_count(0)
        expect(part).to_have_text("2.000 1/2")
        expect(failed.locator(".so-far")).to_have_text("3.050")
        expect(running.locator(".so-far")).to_have_text("4.000")


def test_groups_by_hand_are_called_by_the_keys_and_stand_there_in_full(chromium, mixed):
    with visited(chromium, mixed) as visitor:
        page = visitor.open("#g=seed")
        expect(page.locator("tr.grp .c-name bdi")).to_have_text(["seed 1", "seed 0"])
        page = visitor.open("#g=lr,seed")
        names = page.locator("tr.grp .c-name bdi")
        expect(names).to_have_count(7)
        assert all(name.evaluate("e => e.scrollWidth <= e.clientWidth") for name in names.all())


def test_long_names_of_groups_get_the_room_that_the_columns_leave(chromium, folder):
    mlflow.set_experiment("long")
    for number in range(4):
        with mlflow.start_run():
            mlflow.log_params({"optimizer.schedule": "cosine-%d" % number, "model.backbone": "vit", "seed": 1})
            mlflow.log_metric("val/loss", number)
    with visited(chromium, folder) as visitor:
        page = visitor.open("#g=optimizer.schedule,model.backbone")
        name = page.locator("tr.grp .c-name").first
        expect(name).to_contain_text("optimizer.schedule cosine-0 · model.backbone vit")
        assert name.bounding_box()["width"] > 300
        assert name.locator("bdi").evaluate("e => e.scrollWidth <= e.clientWidth")
        assert page.locator(".tbl").evaluate("e => e.scrollWidth <= e.clientWidth")


def test_of_more_groups_than_are_shown_the_number_is_told(chromium, folder):
    mlflow.set_experiment("many")
    for number in range(5):
        with mlflow.start_run():
            mlflow.log_param("lr", number)
    with visited(chromium, folder) as visitor:
        visitor.page.route("**/api/runs", lambda route: route.continue_(
            post_data=route.request.post_data.replace('"limit":500', '"limit":3')
        ))  # fmt: skip
        page = visitor.open("#g=lr")
        expect(page.locator("tr.grp")).to_have_count(3)
        expect(page.locator(".total")).to_have_text("first 3 of 5 groups")


def test_from_one_group_in_charts_a_link_leads_back_to_all(visitor):
    page = visitor.open("#g=lr")
    groups, foot = page.locator("tr.grp"), page.locator(".foot")
    expect(groups).to_have_count(4)
    expect(foot).to_contain_text("within noise of the best")
    expect(foot).not_to_contain_text("in charts")
    groups.nth(1).locator(".swatch").click(modifiers=["Alt"])
    expect(foot).to_contain_text("1 of 4 in charts")
    foot.locator("text=As at first").click()
    expect(page.locator("tr.grp.dim")).to_have_count(0)
    assert visitor.hash() == "#g=lr"
    groups.nth(0).locator(".swatch").click()
    expect(foot).to_contain_text("3 of 4 in charts")
    foot.locator("text=Show all").click()
    expect(page.locator("tr.grp.dim")).to_have_count(0)
    assert page.locator(".left").evaluate("e => e.scrollWidth <= e.clientWidth")
