"""How does a plot look? Plain SVG without any script, light or dark as the reader's screen is."""

import math
from collections import namedtuple
from html import escape

Series = namedtuple("Series", ["name", "points", "color"])  # color: 0 is ours, 1 to 4 are others
Bar = namedtuple("Bar", ["name", "value", "text", "is_ours"])

_STYLE = """
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 15px }
  .quiet { fill: #59636e; font-size: 12px }
  .grid { stroke: #d1d9e0; stroke-width: 1 }
  .back { fill: #ffffff }
  .c0 { stroke: #0969da; fill: #0969da } .c1 { stroke: #bc4c00; fill: #bc4c00 }
  .c2 { stroke: #8250df; fill: #8250df } .c3 { stroke: #1a7f37; fill: #1a7f37 } .c4 { stroke: #6e7781; fill: #6e7781 }
  .line { fill: none; stroke-width: 2 } text.name { stroke: none; font-weight: 600 }
  .bar { stroke: none } .other { fill: #8c959f }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .quiet { fill: #9198a1 } .grid { stroke: #3d444d } .back { fill: #0d1117 }
    .c0 { stroke: #4493f8; fill: #4493f8 } .c1 { stroke: #f0883e; fill: #f0883e }
    .c2 { stroke: #ab7df8; fill: #ab7df8 } .c3 { stroke: #3fb950; fill: #3fb950 } .c4 { stroke: #9198a1; fill: #9198a1 }
    .line { fill: none } text.name { stroke: none } .bar { stroke: none } .other { fill: #656c76 }
  }
"""
_WIDTH = 760


def bars(title, note, given, *, is_logarithmic=True):
    """Return a chart of horizontal bars, shortest on top."""
    given = sorted(given, key=lambda bar: bar.value)
    left, right, top, height = 230, 110, 62, 26
    most = given[-1].value
    if is_logarithmic:
        low = math.floor(math.log10(given[0].value) - 0.3)
        high = math.ceil(math.log10(most))
        marks = [(10**power, _round_number(power)) for power in range(low, high + 1)]
    else:
        unit = 10 ** math.floor(math.log10(most))
        high = math.ceil(most / unit)
        marks = [(unit * count, "%.3g" % (unit * count)) for count in range(high + 1)]

    def x(value):
        share = (math.log10(value) - low) / max(1, high - low) if is_logarithmic else value / (unit * high)
        return left + share * (_WIDTH - left - right)

    parts = []
    bottom = top + height * len(given)
    for value, words in marks:
        parts.append(_grid(x(value), top - 6, x(value), bottom))
        parts.append(_text(x(value), bottom + 16, words, "quiet", "middle"))
    for number, bar in enumerate(given):
        y = top + height * number
        parts.append(_text(left - 10, y + 17, bar.name, "", "end", is_bold=bar.is_ours))
        parts.append(
            '<rect class="bar %s" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>'
            % ("c0" if bar.is_ours else "other", left, y + 4, max(2, x(bar.value) - left), height - 8)
        )
        parts.append(_text(x(bar.value) + 8, y + 17, bar.text, "", "start"))
    return _document(title, note, parts, bottom + 28)


def lines(title, note, x_title, series):
    """Return a chart of lines, both scales logarithmic; each line carries its name at its end."""
    series = [each for each in series if each.points]
    left, right, top, bottom = 70, 190, 70, 350
    xs = [math.log10(point[0]) for each in series for point in each.points]
    ys = [math.log10(point[1]) for each in series for point in each.points]
    x_low, x_high = math.floor(min(xs)), max(math.ceil(max(xs)), math.floor(min(xs)) + 1)
    y_low, y_high = math.floor(min(ys)), max(math.ceil(max(ys)), math.floor(min(ys)) + 1)

    def x(value):
        return left + (math.log10(value) - x_low) / (x_high - x_low) * (_WIDTH - left - right)

    def y(value):
        return bottom - (math.log10(value) - y_low) / (y_high - y_low) * (bottom - top)

    parts = []
    for power in range(x_low, x_high + 1):
        parts.append(_grid(x(10**power), top, x(10**power), bottom))
        parts.append(_text(x(10**power), bottom + 18, _round_number(power), "quiet", "middle"))
    for power in range(y_low, y_high + 1):
        parts.append(_grid(left, y(10**power), _WIDTH - right, y(10**power)))
        parts.append(_text(left - 8, y(10**power) + 4, _round_number(power), "quiet", "end"))
    parts.append(_text((left + _WIDTH - right) / 2, bottom + 38, x_title, "quiet", "middle"))
    taken = []
    for each in sorted(series, key=lambda each: y(each.points[-1][1])):
        path = " ".join("%.1f,%.1f" % (x(point[0]), y(point[1])) for point in each.points)
        parts.append('<polyline class="line c%d" points="%s"/>' % (each.color, path))
        parts += [
            '<circle class="c%d" cx="%.1f" cy="%.1f" r="3"/>' % (each.color, x(point[0]), y(point[1]))
            for point in each.points
        ]
        at = y(each.points[-1][1]) + 4
        while any(abs(at - other) < 16 for other in taken):
            at += 1
        taken.append(at)
        parts.append(
            '<text class="name c%d" x="%.1f" y="%.1f">%s</text>'
            % (each.color, x(each.points[-1][0]) + 10, at, escape(each.name))
        )
    return _document(title, note, parts, bottom + 50)


def _document(title, note, parts, height):
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">\n'
        "<title>%s</title>\n<style>%s</style>\n"
        '<rect class="back" width="%d" height="%d" rx="6"/>\n%s\n%s\n%s\n</svg>\n'
    ) % (
        _WIDTH,
        height,
        _WIDTH,
        height,
        escape(title),
        _STYLE,
        _WIDTH,
        height,
        _text(16, 24, title, "title", "start"),
        _text(16, 43, note, "quiet", "start"),
        "\n".join(parts),
    )


def _text(x, y, text, style, anchor, *, is_bold=False):
    weight = ' font-weight="600" style="font-weight: 600"' if is_bold else ""
    return '<text class="%s" x="%.1f" y="%.1f" text-anchor="%s"%s>%s</text>' % (
        style, x, y, anchor, weight, escape(text),
    )  # fmt: skip


def _grid(x1, y1, x2, y2):
    return '<line class="grid" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>' % (x1, y1, x2, y2)


def _round_number(power):
    return f"{10**power:,}" if power >= 0 else "%g" % 10.0**power
