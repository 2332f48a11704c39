"""What waits for the disk: in order, bounded, counted."""

from mini_mlflow.store import spool
from mini_mlflow.store.spool import Entry, Spool


def entry(key, number):
    return Entry("metrics", key, str(number), None, number)


def drained(waiting):
    found = []
    for kind, key in waiting.files():
        while waiting.holds(kind, key):
            found.append(waiting.first(kind, key))
            waiting.drop_first(kind, key)
    assert len(waiting) == 0
    return found


def test_values_come_out_in_the_order_in_which_they_were_logged():
    """Rule P4."""
    waiting = Spool()
    entries = [entry("ab"[number % 2], number) for number in range(50)]
    for each in entries:
        waiting.add(each)
    assert drained(waiting) == entries[::2] + entries[1::2]  # each file's in order, one file after the other
    assert waiting.give_up() == {}


def test_what_is_put_back_comes_first():
    """Rule W11: rows that lost their file are older than what waits."""
    waiting = Spool()
    waiting.add(entry("a", 3))
    waiting.put_back([entry("a", 1), entry("a", 2)])
    assert [each.timestamp for each in drained(waiting)] == [1, 2, 3]


def test_beyond_the_bound_the_oldest_stay_and_the_rest_is_counted():
    """Rule P4: up to 100,000 values."""
    waiting = Spool()
    for number in range(spool.MOST + 7):
        waiting.add(entry("a", number))
    waiting.add(entry("b", 0))
    assert len(waiting) == spool.MOST == 100000
    assert waiting.first("metrics", "a").timestamp == 0
    assert waiting.first("metrics", "b") is None
    assert waiting.give_up() == {"a": spool.MOST + 7, "b": 1}
    assert len(waiting) == 0


def test_what_is_given_up_is_counted_by_key():
    """Rule P4."""
    waiting = Spool()
    for number in range(5):
        waiting.add(entry("ab"[number % 2], number))
    waiting.drop_first("metrics", "a")
    assert waiting.give_up() == {"a": 2, "b": 2}


def test_h14_a_handler_that_adds_between_any_two_steps_of_a_removal_loses_nothing():
    """Rule P1: the handler is called before each line of the removal, and after it."""
    import sys

    for at in range(12):
        spool = Spool()
        spool.add(Entry("metrics", "loss", "0", 0, 0))
        calls = iter(range(100))

        def trace(frame, event, _, at=at, spool=spool, calls=calls):
            if frame.f_code.co_name == "drop_first" and event in ("call", "line", "opcode"):
                frame.f_trace_opcodes = True
                if next(calls) == at * 4:
                    sys.settrace(None)
                    spool.add(Entry("metrics", "loss", "1", 1, 1))
            return trace

        sys.settrace(trace)
        try:
            spool.drop_first("metrics", "loss")
        finally:
            sys.settrace(None)
        if next(calls) > at * 4:
            assert spool.first("metrics", "loss").value == "1"
            assert len(spool) == 1
            spool.drop_first("metrics", "loss")
        assert len(spool) == 0
        assert not spool.holds("metrics", "loss")
