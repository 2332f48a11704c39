"""What is changed is seen at once, also when it is taken back; what a click adds to the filter keeps what it meant."""

import pytest
from browsing import visited
from playwright.sync_api import expect

import mini_mlflow
from mini_mlflow.compat import mlflow


def test_a_note_and_a_tag_that_are_taken_back_are_gone_from_the_open_run(visitor):
    page = visitor.open()
    visitor.row("quiet-run").click()
    visitor.add("note", "rerun with more steps")
    expect(page.locator(".note p")).to_have_text("rerun with more steps")
    expect(page.locator(".toast")).to_contain_text("Changed note of")
    page.click(".toast .link")
    expect(page.locator(".toast")).to_contain_text("Taken back")
    expect(page.locator(".note p")).to_have_text("")
    visitor.add("tag", "team=vision")
    expect(page.locator(".run .tags")).to_contain_text("team vision")
    page.click(".toast .link")
    expect(page.locator(".run .tags")).not_to_contain_text("vision")


def test_a_tag_that_was_removed_comes_back_to_the_open_run_by_the_key(visitor):
    page = visitor.open()
    visitor.row("quiet-run").click()
    visitor.add("tag", "team=vision")
    page.click("[aria-label='Remove tag team']")
    expect(page.locator(".run .tags")).not_to_contain_text("vision")
    page.keyboard.press("u")
    expect(page.locator(".run .tags")).to_contain_text("team vision")


def test_a_change_that_cannot_be_taken_back_says_so(visitor):
    page = visitor.open()
    visitor.row("quiet-run").click()
    visitor.add("note", "first")
    expect(page.locator(".note p")).to_have_text("first")
    said = '{"error": {"code": "conflict", "message": "Another process writes it."}}'
    page.route("**/api/edit", lambda route: route.fulfill(
        status=200, content_type="application/json", body=said, headers={"X-Mini-MLflow-Instance": "x"}
    ))  # fmt: skip
    page.click(".toast .link")
    expect(page.locator(".toast")).to_contain_text("Not taken back")
    expect(page.locator(".note p")).to_have_text("first")


@pytest.mark.parametrize(
    ("text", "count", "own"),
    [
        ("lr = 0.0003 or lr = 0.01", "12 runs", "(lr = 0.0003 or lr = 0.01) and "),
        ("name = 'a and status' or depth = 4", "12 runs", "(name = 'a and status' or depth = 4) and "),
        ("lr > 0.005 and depth = 4", "3 runs", "lr > 0.005 and depth = 4 and "),
        ("(lr > 0.005) and (depth = 4)", "3 runs", "(lr > 0.005) and (depth = 4) and "),
        ("lr = 0.01 or min(val/loss) < 100", "24 runs", "(lr = 0.01 or min(val/loss) < 100) and "),
        ("(lr = 0.01 or lr = 0.003) and depth = 4", "6 runs", "((lr = 0.01 or lr = 0.003) and depth = 4) and "),
    ],
)
def test_a_count_of_a_status_narrows_what_the_filter_means_and_a_second_click_leaves_it_as_it_was(
    visitor, text, count, own
):
    page = visitor.open()
    page.fill("#filter", text)
    page.keyboard.press("Enter")
    expect(page.locator(".total")).to_have_text(count)
    chip = page.locator("[aria-label*='run failed']")
    chip.click()
    expect(page.locator(".total")).to_have_text("1 run")
    expect(page.locator("#filter")).to_have_value(own + "status = 'FAILED'")
    chip.click()
    expect(page.locator(".total")).to_have_text(count)
    expect(page.locator("#filter")).to_have_value(text)


def test_what_is_wrong_with_a_filter_is_told_while_it_is_typed(visitor):
    page = visitor.open()
    page.click("#filter")
    page.keyboard.type("nothing > 1")
    expect(page.locator(".ferr")).to_contain_text("nothing")
    assert page.evaluate("document.activeElement.id") == "filter"


def test_enter_in_the_field_for_a_tag_leaves_the_keys_to_the_page(visitor):
    page = visitor.open()
    visitor.row("olive-run").locator("input").click()
    page.locator(".selbar").get_by_role("button", name="Tag").click()
    page.keyboard.type("team=vision")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Tagged 1 run")
    expect(page.locator(".menu input")).to_have_count(0)
    page.keyboard.press("u")
    expect(visitor.row("olive-run").locator(".tag")).to_have_count(0)


def test_f2_renames_the_run_that_is_open(visitor):
    page = visitor.open()
    visitor.row("olive-run").click()
    expect(page.locator("article.run h1")).to_have_text("olive-run")
    page.keyboard.press("F2")
    page.locator("article.run input").first.fill("renamed")
    page.keyboard.press("Enter")
    expect(page.locator("article.run h1")).to_have_text("renamed")


@pytest.mark.parametrize("key", ["params.amp", "params.gamma"])
def test_a_brush_over_a_whole_axis_keeps_every_run_whatever_its_values(chromium, folder, key):
    mlflow.set_experiment("kinds")
    for number in range(6):
        with mlflow.start_run(run_name="run-%d" % number):
            mini_mlflow.log_params({"amp": number % 2 == 0, "gamma": number % 3 + 2 / 3})
            mlflow.log_metric("val/loss", number, step=0)
    with visited(chromium, folder) as visitor:
        page = visitor.open("#v=explore&a=%s,metrics.val%%2Floss" % key)
        axis = page.locator(".ax-hit").first.bounding_box()
        page.mouse.move(axis["x"] + 10, axis["y"] + 1)
        page.mouse.down()
        page.mouse.move(axis["x"] + 10, axis["y"] + axis["height"] + 4, steps=6)
        page.mouse.up()
        expect(page.locator(".bcount")).to_contain_text("6 of 6 inside")
        page.click("text=Keep as filter")
        expect(page.locator(".total")).to_have_text("6 runs")
        expect(page.locator("#filter")).not_to_have_value("")


def test_a_brush_becomes_a_filter_of_the_same_runs_also_where_values_hold_quotes(chromium, folder):
    mlflow.set_experiment("quotes")
    for number, name in enumerate(["ada'grad", 'sgd "nesterov"', "adam", "both ' and \""]):
        with mlflow.start_run(run_name="run-%d" % number):
            mlflow.log_params({"optimizer": name, "lr": number})
            mlflow.log_metric("val/loss", number, step=0)
    with visited(chromium, folder) as visitor:
        page = visitor.open("#v=explore&a=params.optimizer:0~3")
        expect(page.locator(".bcount")).to_contain_text("4 of 4 inside")
        page.click("text=Keep as filter")
        expect(page.locator(".total")).to_have_text("3 runs")
        expect(page.locator(".toast")).to_contain_text("both ' and \"")
        assert sorted(visitor.names()) == ["run-0", "run-1", "run-2"]
