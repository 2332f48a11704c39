"""Does ``python -m mini_mlflow`` load modules from the folder that it is started in? No."""

from __future__ import annotations

import os
import sys


def leave_out_current_folder() -> None:
    """Keep the current folder from being searched for modules, where Python has put it first for our command line.

    ``python -m`` puts it before everything, and a ``json.py`` that lies there would run. Called while the package is
    imported, before it loads anything that a file there could stand in for. A program of somebody else's that is
    started with ``-m`` needs its folder, and keeps it.
    """
    frame = sys._getframe()  # noqa: SLF001 - what traceback and warnings do, without loading them
    while frame is not None:
        if frame.f_globals.get("__name__") == "runpy" and "mod_name" in frame.f_locals:
            if frame.f_locals["mod_name"] not in (__package__, "%s.__main__" % __package__):
                return
            break
        frame = frame.f_back  # type: ignore[assignment]
    else:
        return
    try:
        here = os.getcwd()
    except OSError:
        here = ""
    if sys.path and sys.path[0] in ("", here):
        del sys.path[0]
