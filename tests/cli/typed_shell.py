"""Real shells on a real terminal, into which somebody types."""

import os
import pty
import re
import select
import shutil
import subprocess
import time

import pytest

WANTED = os.environ.get("MINI_MLFLOW_SHELLS", "").split()
_PATIENCE_S = 60.0

_BASH_START = r"""
PS1='> '
bind 'set bell-style none'; bind 'set show-all-if-ambiguous off'; bind 'set enable-bracketed-paste off'
bind 'set completion-query-items 0'; bind 'set page-completions off'
__shown() { printf '\n<<%s>>\n' "$READLINE_LINE"; }
bind -x '"\C-o": __shown'
"""
_ZSH_START = r"""
PS1='> '; unsetopt PROMPT_SP ZLE_BRACKETED_PASTE 2>/dev/null; unset zle_bracketed_paste
autoload -Uz compinit; compinit -u -d "$HOME/zcompdump"
unsetopt LIST_BEEP
__shown() { printf '\n<<%s>>\n' "$BUFFER" }
zle -N __shown; bindkey '^O' __shown; bindkey '^I' complete-word
"""


def need(shell):
    """Skip where a shell is missing; fail where MINI_MLFLOW_SHELLS says that it is there."""
    if shutil.which(shell) is None:
        if shell in WANTED:
            pytest.fail("%s is missing, and MINI_MLFLOW_SHELLS wants it" % shell)
        pytest.skip("%s is not installed" % shell)


class TypedShell:
    """An interactive shell with the completion loaded.

    Args:
        shell: ``bash`` or ``zsh``.
        script: What ``mini-mlflow completion`` printed.
        folder: Where it is started, and its home.
        environment: What it is started with.
    """

    def __init__(self, shell, script, folder, environment):
        start = os.path.join(str(folder), "start-" + shell)
        with open(start, "w", encoding="utf-8") as file:
            file.write((_BASH_START if shell == "bash" else _ZSH_START) + "\n" + script)
        command = ["bash", "--noprofile", "--norc", "-i"] if shell == "bash" else ["zsh", "-f", "-i"]
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, cwd=str(folder), env=environment, start_new_session=True
        )
        os.close(slave)
        self._text = ""
        self.type(" . %s; echo rea''dy\n" % start)
        self._wait(r"ready\r?\n")

    def type(self, text):
        os.write(self._master, text.encode("utf-8"))

    def complete(self, line):
        """Type a line and a Tab; return what the line is then. The line is thrown away."""
        self._text = ""
        self.type("\x15" + line + "\t\x0f")
        found = self._wait(r"<<(.*?)>>\r?\n")
        self.type("\x15")
        return found.group(1)

    def close(self):
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def _wait(self, pattern):
        end = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end:
            match = re.search(pattern, self._text, re.DOTALL)
            if match:
                return match
            if select.select([self._master], [], [], 0.5)[0]:
                try:
                    self._text += os.read(self._master, 65536).decode("utf-8", "replace")
                except OSError:
                    break
        raise AssertionError("the shell did not answer: %r" % self._text[-2000:])
