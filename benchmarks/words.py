"""How are numbers, names and tables written in the report?"""

from peers import OURS, PEERS


def number(value):
    """Write a number with three digits that count."""
    if value is None:
        return "–"
    if abs(value) >= 100:
        magnitude = len(str(int(abs(value)))) - 3
        return f"{round(value / 10**magnitude) * 10**magnitude:,}"
    return "%.3g" % value


def spread(found, scale=1.0):
    """Write a median and, in brackets, the least and the most."""
    if not found:
        return "–"
    median, least, most = (number(found[name] * scale) for name in ("median", "min", "max"))
    return median if found["n"] == 1 or least == most else "%s (%s–%s)" % (median, least, most)


def size(length):
    """Write a number of bytes."""
    for unit in ("B", "KB", "MB"):
        if abs(length) < 1000:
            return "%s %s" % (number(length), unit)
        length /= 1000.0
    return "%s GB" % number(length)


def sweep(runs, metrics, steps):
    """Write how large a sweep is."""
    return "%s runs × %s metrics × %s" % (f"{runs:,}", metrics, f"{steps:,}")


def times(value):
    """Write a ratio."""
    return "%s×" % number(value)


def table(heads, rows):
    """Return a Markdown table; the first column is text, the others are numbers."""
    lines = ["| %s |" % " | ".join(heads), "| --- |%s" % (" ---: |" * (len(heads) - 1))]
    lines += ["| %s |" % " | ".join(str(cell) for cell in row) for row in rows]
    return "\n".join(lines) + "\n"


def median(found, *path):
    """Return the median that lies at *path* in nested results, None where there is none."""
    for name in path:
        found = (found or {}).get(name)
    return found["median"] if isinstance(found, dict) and "median" in found else None


def in_order(found):
    """Return names and results in the order of the table of peers."""
    return [(name, found[name]) for name in PEERS if name in found]


def title(name):
    """Write a tracker's name; ours stands out."""
    return "**%s**" % PEERS[name].title if name in OURS else PEERS[name].title
