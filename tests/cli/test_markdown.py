"""Tables as Markdown: what stands in them, and that no name of a user's breaks them."""

import csv
import html
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_ls import rows_of

from mini_mlflow.cli import markdown, tables, texts

HOSTILE = [
    "a|b", "a\\|b", "`x`", "``|`", "*bold*", "_it_", "<script>alert(1)</script>", "[x](javascript:alert(1))", "@team",
    "#12", "https://evil.example", "www.evil.example", "&lt;", "~~gone~~", "a\x1b[31mred", "two\nlines",
    "\\", "$x$", "|", ":rocket:", "GH-12", "see gh-7", "deadbeef", "at 0123456789abcdef0123456789abcdef01234567",
]  # fmt: skip


def cells_of(line):
    """Return the cells of a row of GitHub's Markdown: a pipe with a backslash before it is none of its borders."""
    assert line.startswith("| ")
    assert line.endswith(" |")
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line[1:-1])]


def shown(cell):
    """Return the text that a reader sees in a cell."""
    cell = cell.replace("\\|", "|")
    cell = cell[2:-2] if cell.startswith("**") else cell
    code = re.fullmatch(r"(`+)(.*?)\1", cell, re.DOTALL)
    if code is None:
        return html.unescape(cell)
    inside = code.group(2)
    is_padded = inside.startswith(" ") and inside.endswith(" ") and inside.strip()
    return inside[1:-1] if is_padded else inside


def table_of(result):
    heading, rule, *lines = [cells_of(line) for line in result.out.splitlines() if line.startswith("|")]
    assert set("".join(rule)) <= set("-:")
    assert {len(line) for line in lines} <= {len(heading)}
    assert "\x1b" not in result.out
    return [dict(zip(heading, line)) for line in lines]


@pytest.mark.parametrize("columns", [None, 60])
def test_runs_are_a_table_with_the_numbers_of_the_screen(shared_sweep, run_cli, columns):
    result = run_cli("ls", "cifar10-sweep", "-b", "val.acc", "-n", "3", "--md", "--color", "always", columns=columns)
    rows = table_of(result)
    assert [row["name"] for row in rows] == ["lively-quail", "eager-puffin", "rapid-raven"]
    assert [row["val.acc ↑"] for row in rows] == ["**0.9402**", "0.9402", "0.9401"]
    assert len(rows[0]) > 8  # nothing is left out for want of room
    assert "trend" not in rows[0]
    assert result.out.splitlines()[-1].startswith("same in all: aug mixup · batch_size 128")
    assert len(table_of(run_cli("ls", "cifar10-sweep", "--md", columns=columns))) == 24
    assert list(table_of(run_cli("ls", "cifar10-sweep", "-c", "name,lr", "--md"))[0]) == ["#", "status", "name", "lr"]


def test_experiments_are_a_table(shared_sweep, run_cli):
    rows = table_of(run_cli("ls", "--md"))
    assert [row["experiment"] for row in rows][1] == "imagenet-resnet50-from-scratch"
    assert rows[0]["best"] == "0.9402"


def test_groups_are_a_table_and_what_their_numbers_are_stands_below(shared_sweep, run_cli):
    result = run_cli("ls", "cifar10-sweep", "-g", "--md")
    rows = table_of(result)
    assert len(rows) == 8
    assert (rows[0]["#"], rows[0]["val.acc ↑"]) == ("g1", "**0.94016 ± 0.00009**")
    assert rows[2]["val.acc ↑"] == "0.92282 ± 0.00300 ≈"
    below = result.out.splitlines()[-1]
    assert below == "mean ± std of finished runs · over seed · ≈ within noise of it (Welch t, 5 %)"
    assert len(table_of(run_cli("ls", "cifar10-sweep", "--by", "lr", "--md"))) == 4


def test_the_best_runs_are_a_table(shared_sweep, run_cli):
    rows = table_of(run_cli("best", "val.acc", "-e", "cifar10-sweep", "-n", "2", "--md"))
    assert [(row["name"], row["val.acc ↑"]) for row in rows] == [
        ("lively-quail", "**0.9402**"), ("eager-puffin", "0.9402"),
    ]  # fmt: skip


def test_runs_beside_each_other_are_one_table(shared_sweep, run_cli):
    rows = table_of(run_cli("compare", "proud-owl", "quick-tern", "--md"))
    assert list(rows[0]) == ["", "a proud-owl", "b quick-tern", "b − a"]
    of_key = {row[""]: list(row.values())[1:] for row in rows}
    assert of_key["lr"][:2] == ["0.1", "0.003"]
    assert of_key["val.acc ↑"][:2] == ["0.8961", "**0.9082**"]
    assert of_key["**params that differ (3 of 8)**"] == ["", "", ""]
    three = table_of(run_cli("compare", "proud-owl", "quick-tern", "warm-hare", "--md"))
    assert list(three[0]) == ["", "a proud-owl", "b quick-tern", "c warm-hare"]


def test_groups_beside_each_other_are_one_table_and_have_no_other_form(shared_sweep, run_cli):
    run_cli("ls", "cifar10-sweep", "-g", columns=80)
    rows = table_of(run_cli("compare", "g1", "g2", "--md", columns=80))
    assert list(rows[0])[:3] == ["", "a g1", "b g2"]
    assert {row[""]: row["a g1"] for row in rows}["val.acc ↑"] == "**0.9402 ± 0.0001**"
    assert run_cli("compare", "g1", "g2", "--csv", columns=80).code == 2


@pytest.mark.parametrize("form", ["--csv", "--tsv"])
def test_runs_beside_each_other_are_rows_for_programs(shared_sweep, run_cli, form):
    result = run_cli("compare", "proud-owl", "quick-tern", form, columns=80)
    rows = rows_of(result) if form == "--tsv" else list(csv.DictReader(io.StringIO(result.out, newline="")))
    ids = {row["name"]: row["id"] for row in rows_of(run_cli("ls", "cifar10-sweep"))}
    assert list(rows[0]) == ["of", "key", ids["proud-owl"], ids["quick-tern"]]
    told = {(row["of"], row["key"]): (row[ids["proud-owl"]], row[ids["quick-tern"]]) for row in rows}
    assert told["run", "name"] == ("proud-owl", "quick-tern")
    assert told["param", "lr"] == ("0.1", "0.003")
    of_all = {row["id"]: row for row in rows_of(run_cli("ls", "cifar10-sweep"))}
    whole = tuple(of_all[ids[name]]["max(val.acc)"] for name in ("proud-owl", "quick-tern"))
    assert told["metric", "max(val.acc)"] == whole
    assert told["source", "git_commit"][0] != told["source", "git_commit"][1]
    assert ("param", "epochs") not in told
    more = run_cli("compare", "proud-owl", "quick-tern", "-a", form).out
    assert re.search("^param.epochs.90.90", more, re.MULTILINE)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_breaks_a_table_or_means_anything(store, run_cli, name):
    for lr in (0.1, 0.2):
        store.run(name, params={"lr": lr, "what": name, "k" + str(lr): name}, metrics={"loss": [lr]}, tags={"t": name})
    place = ("-d", str(store.path))
    expected = texts.clean(name)
    for words in (("ls", "Default", "-w"), ("best", "loss")):
        rows = table_of(run_cli(*place, *words, "--md"))
        assert [shown(row["name"]) for row in rows] == [expected] * 2
        assert all(is_harmless(cell) for row in rows for cell in row.values())
    ids = rows_of(run_cli(*place, "ls", "Default", "-c", "id"))
    compared = table_of(run_cli(*place, "compare", *(row["id"] for row in ids), "-a", "--md"))
    assert expected in [shown(cell) for cell in compared[3].values()] + [shown(cell) for cell in compared[5].values()]
    assert all(is_harmless(cell) for row in compared for cell in row.values())


def is_harmless(cell):
    """Tell whether nothing in a cell is markup: it is a code span, or has no sign that could begin any."""
    bare = cell[2:-2] if cell.startswith("**") else cell
    if re.fullmatch(r"(`+)(?!`).*(?<!`)\1", bare, re.DOTALL):
        return True
    if re.search(r"(?i):\w+:|gh-\d|\b[0-9a-f]{7,40}\b", bare):
        return False
    return not re.search(r"[`*\[\]<>@~\\|$]|://|www\.|#(?!\Z|\d+;)|\b_|_\b", bare)


@given(st.lists(st.text(st.characters(blacklist_categories=["Cs"]), min_size=1), min_size=1, max_size=4))
def test_every_text_stays_in_its_cell_and_is_read_as_it_is(names):
    cleaned = [texts.clean(name) for name in names]
    columns = [tables.column("name", cleaned), tables.column("n", ["1"] * len(names), is_right=True)]
    lines = markdown.table(columns)
    assert [len(cells_of(line)) for line in lines] == [2] * (2 + len(names))
    for line, name in zip(lines[2:], cleaned):
        assert shown(cells_of(line)[0]) == re.sub(" +", " ", name.strip())


@pytest.fixture
def diverging(store):
    """Two groups of three runs: the better one has a run that has diverged."""
    for lr in (0.1, 0.01):
        for seed in (1, 2, 3):
            values = [lr + seed / 100, *([float("nan")] if lr == 0.01 and seed == 3 else [])]
            store.run("r", params={"lr": lr, "seed": seed}, metrics={"val.loss": values})
    return ("-d", str(store.path))


def test_the_best_group_is_bold_though_a_run_of_it_diverged_and_what_signs_say_stands_below(diverging, run_cli):
    run_cli(*diverging, "ls", "Default", "-g", columns=80)
    result = run_cli(*diverging, "compare", "g1", "g2", "--md", columns=80)
    cells = {row[""]: row for row in table_of(result)}["val.loss ↓"]
    assert cells["a g1"].startswith("**0.025 ± 0.007 (2/3) ×")
    assert not cells["b g2"].startswith("**")
    told = "× without its runs that ended at NaN or inf · of finished runs · over seed"
    assert result.out.splitlines()[-1] == told
    coloured = run_cli(*diverging, "compare", "g1", "g2", "--color", "always", columns=80).out
    assert re.search(r"\x1b\[32m0.025 ± 0.007  \(2/3\) \*×", coloured)


def test_in_ascii_numbers_are_no_code_and_nothing_else_is_in_the_text(diverging, run_cli):
    run_cli(*diverging, "ls", "Default", "-g", columns=80)
    for words in (("ls", "Default", "-g"), ("compare", "g1", "g2"), ("ls", "Default", "-c", "name,max(val.loss)")):
        out = run_cli(*diverging, "--ascii", *words, "--md", columns=80).out
        assert out.isascii()
        assert "`" not in out.replace("`NaN`", "")
    assert "**0.025 +- 0.007 x**" in run_cli(*diverging, "--ascii", "ls", "Default", "-g", "--md", columns=80).out
    assert "| val.loss ^ |" in out


def test_what_a_running_run_has_fallen_to_is_told_below(store, run_cli):
    store.run("alpha", status="RUNNING", metrics={"val.acc": [0.1, 0.9, 0.2]}, ago_s=60.0)
    result = run_cli("-d", str(store.path), "ls", "Default", "--md", columns=80)
    assert "0.9000 !" in result.out
    assert result.out.splitlines()[-1] == "! by now: val.acc of 1 is 0.2000 · -l shows latest values"
