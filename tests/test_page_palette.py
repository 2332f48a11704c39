"""The colours of the page: contrast of every pair of tokens, and how far apart run colours are, also if colour-blind.

A port of the check that the colours were found with. OKLab: Ottosson 2020; colour blindness: Machado, Oliveira and
Fernandes 2009, severity 1, on linear RGB; contrast: WCAG 2.2.
"""

import re
from itertools import combinations
from math import sqrt
from pathlib import Path

import pytest

import mini_mlflow

TOKENS = Path(mini_mlflow.__file__).parent / "ui" / "static" / "tokens.css"
SURFACES = ("bg", "bg-sunken", "bg-hover", "bg-selected", "bg-pop")
BLIND = {
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}
# The least distances in OKLab x 100 that the palette was made with, for the first 10 colours and for all 20.
DISTANCES = {
    "light": {"normal": (9.3, 5.9), "deutan": (5.7, 4.6), "protan": (6.4, 4.2), "tritan": (5.7, 3.7)},
    "dark": {"normal": (10.5, 7.9), "deutan": (7.4, 5.4), "protan": (6.7, 4.9), "tritan": (7.0, 4.9)},
}


def read_theme(name):
    breaks = r'\[data-theme="dark"\] \{|@media \(prefers-color-scheme: dark\)'
    light, dark, system = re.split(breaks, TOKENS.read_text("utf-8"))
    text = {"light": light, "dark": dark, "system dark": system}[name]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})\b", text))


def linear(color):
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def contrast(one, other):
    lights = sorted(0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in (linear(one), linear(other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def seen_by(eyes, color):
    parts = linear(color)
    if eyes == "normal":
        return parts
    return [min(1, max(0, sum(weight * part for weight, part in zip(row, parts)))) for row in BLIND[eyes]]


def oklab(parts):
    red, green, blue = parts
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.793617785 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.428592205 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.808675766 * short,
    )


def distance(one, other):
    return 100 * sqrt(sum((a - b) ** 2 for a, b in zip(one, other)))


@pytest.fixture(params=["light", "dark"])
def theme(request):
    return request.param, read_theme(request.param)


def test_the_dark_tokens_stand_twice_and_are_the_same():
    assert read_theme("dark") == read_theme("system dark")
    assert len(read_theme("dark")) > 40


@pytest.mark.parametrize("ink", ["text", "text-2", "text-3", "accent", "run", "ok", "fail", "kill", "lost"])
def test_text_and_signs_can_be_read_on_every_surface(theme, ink):
    _, tokens = theme
    assert min(contrast(tokens[ink], tokens[surface]) for surface in SURFACES) >= 4.5


@pytest.mark.parametrize(
    ("ink", "surfaces", "least"),
    [
        ("line-input", SURFACES[:4], 3), ("axis", ["bg"], 4.5), ("cursor", ["bg"], 3), ("on-accent", ["accent"], 4.5),
        ("add-ink", ["add"], 4.5), ("del-ink", ["del"], 4.5), ("text", ["mark"], 4.5), ("seq-0", ["bg"], 3),
    ],
)  # fmt: skip
def test_borders_axes_and_diffs_have_enough_contrast(theme, ink, surfaces, least):
    _, tokens = theme
    assert min(contrast(tokens[ink], tokens[surface]) for surface in surfaces) >= least


@pytest.mark.parametrize("surface", ["bg", "bg-hover", "bg-selected"])
def test_run_colours_stand_out_from_the_row_that_they_are_in(theme, surface):
    _, tokens = theme
    assert min(contrast(tokens["run-%d" % slot], tokens[surface]) for slot in range(1, 21)) >= 3


@pytest.mark.parametrize("eyes", ["normal", "deutan", "protan", "tritan"])
def test_run_colours_are_as_far_apart_as_they_were_made(theme, eyes):
    name, tokens = theme
    colors = [oklab(seen_by(eyes, tokens["run-%d" % slot])) for slot in range(1, 21)]
    for count, least in zip((10, 20), DISTANCES[name][eyes]):
        assert min(distance(a, b) for a, b in combinations(colors[:count], 2)) >= least - 0.05
