"""The screens of the commands that look, as they come out on a real terminal."""

import pytest
from measured import widest

SCREENS = {
    "ls": ("ls",),
    "ls-sweep": ("ls", "cifar10-sweep"),
    "ls-filtered": ("ls", "-f", "val.acc > 0.9", "-b", "val.loss", "-n", "5"),
    "ls-groups": ("ls", "cifar10-sweep", "-g"),
    "show": ("show", "proud-owl"),
    "compare": ("compare", "proud-owl", "quick-tern"),
    "compare-three": ("compare", "proud-owl", "lucid-lynx", "warm-hare"),
    "best": ("best", "val.acc", "-n", "3"),
    "history": ("history", "shy-swift"),
}
WIDTHS = (60, 80, 120, 200)


@pytest.mark.parametrize("columns", WIDTHS)
def test_the_screens_look_as_they_should_at_every_width(shared_sweep, run_cli, check_screen, columns):
    for name, arguments in SCREENS.items():
        result = run_cli(*arguments, "--color", "never", columns=columns)
        assert (result.code, result.err) == (0, "")
        assert widest(result.lines) <= columns
        check_screen("%s-%d" % (name, columns), result.out)


def test_with_colours_the_screens_have_the_same_text(shared_sweep, run_cli, check_screen):
    for name, arguments in SCREENS.items():
        plain = run_cli(*arguments, "--color", "never", columns=80).out
        coloured = run_cli(*arguments, columns=80).out
        assert "\x1b[" not in plain
        assert without_colours(coloured) == plain
        check_screen("%s-80-colour" % name, coloured.replace("\x1b", "␛"))


def test_in_ascii_the_screens_have_no_other_signs(shared_sweep, run_cli, check_screen):
    for name, arguments in SCREENS.items():
        result = run_cli(*arguments, "--ascii", "--color", "never", columns=80)
        assert result.out.isascii()
        assert widest(result.lines) <= 80
        check_screen("%s-80-ascii" % name, result.out)


def test_a_stream_that_is_not_utf_8_gets_ascii_without_being_asked(shared_sweep, run_cli):
    for arguments in SCREENS.values():
        asked = run_cli(*arguments, "--ascii", "--color", "never", columns=80)
        assert run_cli(*arguments, "--color", "never", columns=80, encoding="ascii").out == asked.out


def test_the_console_of_linux_gets_ascii_without_being_asked(shared_sweep, run_cli, monkeypatch):
    asked = run_cli("ls", "--ascii", "--color", "never", columns=80).out
    monkeypatch.setenv("TERM", "linux")
    assert run_cli("ls", "--color", "never", columns=80).out == asked


def without_colours(text):
    import re

    return re.sub("\x1b\\[[0-9;]*m", "", text)
