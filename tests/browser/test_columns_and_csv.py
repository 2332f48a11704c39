"""The column of how far runs have come, and the table as a file."""

import csv

from browsing import visited
from playwright.sync_api import expect

from mini_mlflow.compat import mlflow


def saved(page):
    """Return the name and the rows of the CSV file that the button gives."""
    with page.expect_download() as download:
        page.click("[aria-label='Export CSV']")
    with open(download.value.path(), encoding="utf-8-sig", newline="") as file:
        return download.value.suggested_filename, list(csv.DictReader(file))


def test_the_step_is_the_last_of_any_metric_and_sorts(chromium, folder):
    mlflow.set_experiment("steps")
    for name, last in (("short", 19), ("long", 299), ("middle", 99)):
        with mlflow.start_run(run_name=name):
            for step in range(last + 1):
                mlflow.log_metric("train/loss", 1.0 / (step + 1), step=step)
                if step % 10 == 0 and name != "middle":
                    mlflow.log_metric("val/loss", 1.0 / (step + 1), step=step)
    with visited(chromium, folder) as visitor:
        page = visitor.open()
        expect(page.locator("tr[data-id]")).to_have_count(3)
        page.click("thead .key:has-text('step')")
        expect(page.locator("tbody .c-name bdi")).to_have_text(["long", "middle", "short"])
        page.click("thead .key:has-text('step')")
        expect(page.locator("tbody .c-name bdi")).to_have_text(["short", "middle", "long"])
        expect(page.locator("tbody td.sorted")).to_have_text(["19", "99", "299"])
        visitor.row("long").click()
        expect(page.locator(".runhead .meta")).to_contain_text("step 299")


def test_csv_has_the_columns_and_values_of_the_table_and_all_rows_of_the_filter(visitor):
    page = visitor.open("#c=max(val/loss),params.lr,step,duration&q=depth+=+8")
    expect(page.locator("tr[data-id]")).to_have_count(12)
    shown = page.locator("tbody tr").first.locator("td.num").all_inner_texts()
    name, rows = saved(page)
    assert name == "runs.csv"
    assert len(rows) == 12
    own = ["run_id", "experiment_id", "name", "status", "start_time", "end_time", "duration_s"]
    assert list(rows[0]) == [*own, "max(val/loss)", "params.lr", "attributes.last_step"]
    assert [row["name"] for row in rows] == visitor.names()
    assert float(rows[0]["max(val/loss)"]) > 2
    assert "%.3f" % float(rows[0]["max(val/loss)"]) == shown[0]
    assert {row["attributes.last_step"] for row in rows} == {"39"}


def test_csv_of_groups_has_a_line_for_each_group(visitor):
    page = visitor.open("#g=lr")
    expect(page.locator("tr.grp")).to_have_count(4)
    name, rows = saved(page)
    assert name == "groups.csv"
    assert [row["lr"] for row in rows] == ["0.003", "0.001", "0.01", "0.0003"]
    assert [row["runs"] for row in rows] == ["6"] * 4
    assert sum(int(row["failed"]) for row in rows) == 1
    assert all(0.2 < float(row["mean(min(val/loss))"]) < 1 for row in rows)
