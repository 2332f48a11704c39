"""Sort, filter, hide, pin, colour, group, choose columns, edit, delete and undo, export."""

import csv
import re

import pytest
from browsing import visited
from playwright.sync_api import expect

import mini_mlflow


def heads(page):
    texts = page.locator("thead .key, thead th > span").all_inner_texts()
    return [text.replace("↑ ", "").replace("↓ ", "") for text in texts]


def test_a_click_on_a_columns_name_sorts_by_it_and_another_turns_it_round(visitor):
    page = visitor.open()
    best = visitor.names()[0]
    page.click("thead .key:has-text('val/loss')")
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("val/loss")
    assert visitor.names()[0] == best
    page.click("thead .key:has-text('val/loss')")
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("val/loss")
    expect(page.locator("tbody .c-name bdi").first).not_to_have_text(best)
    page.click("thead .key:has-text('lr')")
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("lr")
    page.click("thead .c-name .key")
    expect(page.locator("tbody .c-name bdi").first).to_have_text("amber-run")


def test_only_params_that_vary_have_columns(visitor):
    page = visitor.open()
    expect(page.locator("thead .key:has-text('depth')")).to_be_visible()
    names = heads(page)
    assert {"lr", "depth", "seed", "val/loss", "val/acc"} <= set(names)
    assert "optimizer" not in names


def test_a_param_of_digits_that_nobody_typed_has_six_and_all_in_its_title(chromium, tmp_path):
    for run_id, lr in (("a", 0.1 + 0.2), ("b", 0.0003123456789012), ("c", 0.0003), ("d", 1234567.5)):
        with mini_mlflow.start_run(runs_dir=tmp_path, run_id=run_id, run_name=run_id):
            mini_mlflow.log_param("lr", lr)
            mini_mlflow.log_metric("loss", 0.5)
    with visited(chromium, tmp_path) as visitor:
        page = visitor.open()
        shown = {
            name: (cell.inner_text().strip(), cell.get_attribute("title"))
            for name in "abcd"
            for cell in [page.locator("tr[data-short='%s'] td.num[title]" % name).first]
        }
        assert shown == {
            "a": ("0.3", "0.30000000000000004"),
            "b": ("0.000312346", "0.0003123456789012"),
            "c": ("0.0003", "0.0003"),
            "d": ("1234567.5", "1234567.5"),
        }


def test_a_click_on_a_metrics_kind_shows_min_max_last_or_mean(visitor):
    page = visitor.open()
    head = page.locator("th", has_text="val/loss")
    expect(head.locator(".kind")).to_have_text("min")
    head.locator(".kind").click()
    expect(page.locator("th", has_text="val/loss").locator(".kind")).to_have_text("max")
    assert "max(val/loss)" in visitor.hash()


def test_the_filter_completes_under_the_caret_and_applies(visitor):
    page = visitor.open()
    page.keyboard.press("/")
    page.keyboard.type("val/lo")
    expect(page.locator("#completions li").first).to_contain_text("val/loss")
    page.keyboard.press("Tab")
    page.keyboard.type("< 0.25")
    page.keyboard.press("Enter")
    expect(page.locator(".total")).to_have_text("6 runs")
    assert "q=val/loss+" in visitor.hash()
    page.click(".filter .clr")
    expect(page.locator(".total")).to_have_text("24 runs")


def test_a_completion_that_is_taken_before_the_answer_for_the_last_letters_replaces_the_whole_word(visitor):
    page = visitor.open()
    page.keyboard.press("/")
    page.keyboard.type("va")
    expect(page.locator("#completions li", has_text="val/loss")).to_have_count(1)
    page.route("**/api/complete*", lambda route: None)  # no answer comes any more
    page.keyboard.type("l/lo")
    expect(page.locator("#completions li")).to_have_count(1)
    expect(page.locator("#completions li")).to_contain_text("val/loss")
    page.keyboard.press("Tab")
    expect(page.locator("#filter")).to_have_value("val/loss ")
    page.keyboard.type("x")
    page.keyboard.press("Tab")
    expect(page.locator("#filter")).to_have_value("val/loss x")


def test_an_error_of_the_filter_stands_in_place_with_near_names_and_the_last_valid_one_stays(visitor):
    page = visitor.open()
    page.fill("#filter", "lr = 0.003")
    page.keyboard.press("Enter")
    expect(page.locator(".total")).to_have_text("6 runs")
    page.fill("#filter", "val/los < 0.3")
    page.keyboard.press("Enter")
    trouble = page.locator(".ferr")
    expect(trouble).to_contain_text("^^^^^^^")
    expect(trouble).to_contain_text("The last valid filter still applies")
    expect(page.locator(".total")).to_have_text("6 runs")
    trouble.locator("button", has_text="val/loss").first.click()
    expect(page.locator("#filter")).to_have_value("val/loss < 0.3")
    expect(trouble).to_have_count(0)


def test_a_count_of_a_status_filters_by_it(visitor):
    page = visitor.open()
    page.click("[aria-label^='1 run failed']")
    expect(page.locator(".total")).to_have_text("1 run")
    page.click("[aria-label^='1 run failed']")
    expect(page.locator(".total")).to_have_text("24 runs")


def test_the_swatch_hides_and_shows_a_run_and_alt_shows_only_it(visitor):
    page = visitor.open()
    first = page.locator("tr[data-id]").first
    expect(page.locator(".foot")).to_contain_text("20 of 24")
    first.locator(".swatch").click()
    expect(page.locator(".foot")).to_contain_text("19 of 24")
    expect(page).to_have_url(re.compile("h="))
    first.locator(".swatch").click()
    expect(page.locator(".foot")).to_contain_text("20 of 24")
    first.locator(".swatch").click(modifiers=["Alt"])
    expect(page.locator(".foot")).to_contain_text("1 of 24")


def test_a_pinned_run_stays_under_the_head(visitor):
    page = visitor.open()
    visitor.row("zesty-run").hover()
    visitor.row("zesty-run").locator("[aria-label^=Pin]").click()
    expect(page.locator("tbody tr").first).to_contain_text("zesty-run")
    assert "p=" in visitor.hash()


def test_a_colour_is_chosen_by_hand_and_kept_in_the_address(visitor):
    page = visitor.open()
    row = visitor.row("quiet-run")
    row.hover()
    row.locator("[aria-label^='More for']").click()
    page.click("[aria-label='Colour 5']")
    page.keyboard.press("Escape")
    assert row.locator(".swatch").evaluate("e => e.style.getPropertyValue('--c')") == "var(--run-5)"
    assert ":5" in visitor.hash()


def test_all_but_the_seed_groups_with_means_bands_and_counts(visitor):
    page = visitor.open()
    page.keyboard.press("g")
    page.click(".menu .opt:has-text('All but seed')")
    expect(page.locator("tr.grp")).to_have_count(8)
    first = page.locator("tr.grp").first
    expect(first).to_contain_text("n=3")
    expect(first).to_contain_text("±")
    expect(first).to_contain_text("lr 0.003")
    page.keyboard.press("Escape")
    first.click()
    expect(page.locator("tr.sub")).to_have_count(3)
    expect(page.locator("tr.sub").first).to_contain_text("seed")
    box = page.locator(".card[data-metric='val/loss'] .u-over").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 12)
    expect(page.locator("#tip")).to_contain_text("n=3")


def test_columns_are_chosen_in_a_menu(visitor):
    page = visitor.open()
    page.click("button[aria-label=Columns]")
    page.locator(".menu .opt", has_text="optimizer").click()
    expect(page.locator("thead")).to_contain_text("optimizer")
    page.locator(".menu .opt", has_text="depth").click()
    expect(page.locator("thead .key:has-text('depth')")).to_have_count(0)
    page.click(".menu >> text=As at first")
    expect(page.locator("thead .key:has-text('depth')")).to_have_count(1)


def test_a_name_is_edited_in_place_and_taken_back(visitor):
    page = visitor.open()
    visitor.row("quiet-run").focus()
    page.keyboard.press("F2")
    field = page.locator("input.rename")
    field.fill("my <b>best</b>")
    field.press("Escape")
    expect(visitor.row("quiet-run")).to_have_count(1)
    visitor.row("quiet-run").locator(".c-name").dblclick()
    page.locator("input.rename").first.fill("my best")
    page.locator("input.rename").first.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Renamed")
    expect(visitor.row("my best")).to_have_count(1)
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    expect(visitor.row("quiet-run")).to_have_count(1)


def test_tags_and_note_are_edited_in_place(visitor):
    page = visitor.open()
    visitor.row("quiet-run").click()
    visitor.add("tag", "team=vision")
    expect(page.locator(".run .tags")).to_contain_text("team vision")
    visitor.add("note", "rerun with <i>more</i> steps")
    expect(page.locator(".note p")).to_have_text("rerun with <i>more</i> steps")
    page.click("[aria-label='Remove tag team']")
    expect(page.locator(".run .tags")).not_to_contain_text("vision")


def test_deleted_runs_come_back_by_undo(visitor):
    page = visitor.open()
    visitor.row("zesty-run").locator("input").click()
    visitor.row("witty-run").locator("input").click()
    expect(page.locator(".selbar")).to_contain_text("2 selected")
    page.click(".selbar >> text=Delete")
    expect(page.locator(".toast")).to_contain_text("Deleted")
    expect(page.locator(".total")).to_have_text("22 runs")
    page.click(".toast .link")
    expect(page.locator(".total")).to_have_text("24 runs")


def test_the_table_is_saved_as_csv(visitor):
    page = visitor.open()
    expect(page.locator("tr[data-id]")).to_have_count(24)
    with page.expect_download() as download:
        page.click("[aria-label='Export CSV']")
    with open(download.value.path(), encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 25
    assert any("val/loss" in name for name in rows[0])


@pytest.mark.parametrize("what", [".selbar >> text=Delete", ".selbar >> text=Tag"])
def test_nothing_can_be_changed_in_a_store_that_is_read_only(chromium, sweep, what):
    with visited(chromium, sweep, is_read_only=True) as visitor:
        page = visitor.open()
        expect(page.locator("header")).to_contain_text("Read-only")
        visitor.row("zesty-run").locator("input").click()
        expect(page.locator(".selbar")).to_contain_text("1 selected")
        expect(page.locator(what)).to_have_count(0)
        visitor.row("zesty-run").focus()
        page.keyboard.press("F2")
        expect(page.locator("input.rename")).to_have_count(0)
