"""How is what is written to a stream of Python's heard, by whoever holds it, while it goes where it went?"""

from __future__ import annotations

from threading import local

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    Take = Callable[[bytes], None]


def listen(stream: Any, take: Take) -> Callable[[], None]:
    """Hear what is written to a stream from now on.

    Args:
        stream: The stream. It stays the same object, so that loggers that hold it are heard, too.
        take: Called with what was written, after it was.

    Returns:
        What ends it.
    """
    listener = _Listener(take)
    if is_of_notebook(stream):
        leave = _enter_class(stream, listener)
    else:
        leave = _enter(stream, listener)

    def undo() -> None:
        listener.is_stopped = True
        leave()

    return undo


def is_of_notebook(stream: Any) -> bool:
    """Tell whether a stream is a notebook's, which brings what its descriptors get back to this stream itself."""
    return any(base.__module__.split(".", 1)[0] == "ipykernel" for base in type(stream).__mro__)


class _Listener:
    """Who hears a stream; what comes from within a ``write`` that is heard already counts once."""

    def __init__(self, take: Take) -> None:
        self.take = take
        self.is_stopped = False
        self.inside = local()


class _Heard:
    """A ``write`` with a listener. Once that has stopped, it passes on alone."""

    def __init__(self, write: Callable[..., Any], listener: _Listener) -> None:
        self.write = write
        self.listener = listener

    def __call__(self, text: Any, *more: Any, **named: Any) -> Any:
        inside = self.listener.inside
        if self.listener.is_stopped or getattr(inside, "is_so", False):
            return self.write(text, *more, **named)
        inside.is_so = True
        try:
            result = self.write(text, *more, **named)
        finally:
            inside.is_so = False
        self.listener.take(text if isinstance(text, bytes) else str(text).encode("utf-8", "backslashreplace"))
        return result


def _enter(stream: Any, listener: _Listener) -> Callable[[], None]:
    heard = _Heard(stream.write, listener)
    try:
        stream.write = heard
    except AttributeError:
        return _nothing  # a stream that takes no listener

    def leave() -> None:
        if stream.write is heard:  # else somebody else listens since, by way of this one
            del stream.write

    return leave


def _enter_class(stream: Any, listener: _Listener) -> Callable[[], None]:
    """Let a stream be heard whose ``write`` others replace and put back, as IPython does around each cell.

    What is put back would be the ``write`` from before this began. So the stream gets a class of its own, in which
    whatever takes the place of ``write`` is heard.
    """
    kind = type(stream)
    heard = _Heard(stream.write, listener)

    class Heard(kind):  # type: ignore[misc, valid-type]
        __doc__ = kind.__doc__

        @property
        def write(self) -> Any:
            return heard

        @write.setter
        def write(self, write: Any) -> None:
            nonlocal heard
            # One of ours is put back: not one around the other, or they would grow with each cell.
            is_ours = isinstance(write, _Heard) and write.listener is listener
            heard = _Heard(write.write if is_ours else write, listener)

    Heard.__module__, Heard.__qualname__, Heard.__name__ = kind.__module__, kind.__qualname__, kind.__name__
    stream.__class__ = Heard

    def leave() -> None:
        if type(stream) is Heard:  # else somebody else listens since, by way of this one
            stream.__class__ = kind
            stream.write = heard.write

    return leave


def _nothing() -> None:
    return
