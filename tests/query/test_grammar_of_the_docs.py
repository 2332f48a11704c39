"""The grammar in docs/filters.md is the one that filters have: every text that it makes is read."""

import random
import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from mini_mlflow.query import grammar

PAGE = Path(__file__).resolve().parents[2] / "docs" / "filters.md"
BLOCK = re.search(r"## The grammar\n\n```\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
RULES = dict(re.findall(r"(\w+) += (.*?) ;\n", BLOCK.group(1), re.DOTALL)) if BLOCK else {}
# What the page says in words.
TERMINALS = {
    "name": ["loss", "val/acc", "model.lr", "lr_2", "a-b", "größe"],
    "any": ["", "a b", "x.y", "(", "AND", "%_%", "ü;--"],
    "number": ["0", "1.5", "-3", "1e-3", ".5", "+2"],
    "digits": ["1", "30", "1.5"],
}
SYMBOL = r"\"[^\"]*\"|'[^']*'|\w+|[,|{}\[\]()]"
CLOSING = {"(": ")", "[": "]", "{": "}"}
DEEPEST = 8


def alternatives(symbols):
    """Take the alternatives that begin here off the symbols; each is a list of what follows one another."""
    found = [[]]
    while symbols and symbols[0] not in CLOSING.values():
        symbol = symbols.pop(0)
        if symbol == "|":
            found.append([])
        elif symbol in CLOSING:
            found[-1].append((symbol, alternatives(symbols)))
            assert symbols.pop(0) == CLOSING[symbol]
        elif symbol != ",":
            found[-1].append(symbol)
    return found


TREES = {rule: alternatives(re.findall(SYMBOL, body)) for rule, body in RULES.items()}


def make(rule, chance, depth=0):
    """Return a text that a rule makes."""
    if rule in TERMINALS:
        return chance.choice(TERMINALS[rule])
    return make_one(TREES[rule], chance, depth, "" if rule in ("key", "metric", "value", "duration") else " ")


def make_one(tree, chance, depth, separator):
    # Deep down the last alternative, which leads to a comparison, so that there is an end.
    parts = []
    for part in chance.choice(tree) if depth < DEEPEST else tree[-1]:
        if isinstance(part, tuple):
            mark, inner = part
            if mark == "(" or (depth < DEEPEST and chance.random() < 0.4):
                parts.append(make_one(inner, chance, depth, separator))
        elif part[0] in "\"'":
            parts.append(part[1:-1])
        else:
            parts.append(make(part, chance, depth + 1))
    return separator.join(parts)


def test_the_page_has_all_rules():
    used = {symbol for body in RULES.values() for symbol in re.findall(SYMBOL, body) if symbol.isidentifier()}
    assert {"filter", "or", "and", "not", "comparison", "operand", "key", "value"} <= set(RULES)
    assert used <= set(RULES) | set(TERMINALS)


@settings(max_examples=500)
@given(st.integers(0, 2**32))
def test_every_text_of_the_grammar_is_read(seed):
    text = make("filter", random.Random(seed))
    assert grammar.parse_filter(text) is not None
