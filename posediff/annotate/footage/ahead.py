"""Work ahead of the consumer: what an iterator gives is made in a thread of its own."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from posediff.errors import BadSetting

if TYPE_CHECKING:
    from posediff.annotate.footage.video import Frame, Video

T = TypeVar("T")


def ahead(items: Iterable[T], depth: int = 4) -> Iterator[T]:
    """The same items in the same order, made up to ``depth`` items ahead in a background thread.

    Decoding releases Python's lock, so it overlaps with what the consumer does. An exception of the producer is raised
    in the consumer after the items that came before it. Where the consumer stops early, the producer is stopped after
    the item that it is making, its iterator is closed in the thread that ran it, and the thread has ended before
    control returns.

    Args:
        items: what to iterate over; iterated in the background thread only.
        depth: most items that wait at a time, 1 or more; this bounds the memory.

    Raises:
        BadSetting: if ``depth`` is less than 1.
    """
    if depth < 1:
        raise BadSetting(f"depth is {depth}", "give 1 or more")
    return _consume(_Producer(items, depth))


def pictures(video: Video, *, threads: int = 0, **options: Any) -> Iterator[Frame]:
    """The frames of a video, decoded ahead of whoever takes them; with one thread, when they are taken.

    Args:
        video: the video.
        threads: that the decoder may use; 0 for as many as it likes, besides the one of whoever takes the frames.
        options: others of :meth:`Video.frames`.
    """
    frames = video.frames(threads=threads, **options)
    return frames if threads == 1 else ahead(frames)


class _Producer:
    """The background thread's side: what is ready, and whether anybody still wants more."""

    def __init__(self, items: Iterable[object], depth: int) -> None:
        self.items = items
        self.depth = depth
        self.ready: deque[object] = deque()
        self.changed = threading.Condition()
        self.stopped = self.ended = False
        self.fault: BaseException | None = None
        # A daemon: a producer that hangs must not keep an interrupted program alive.
        self.thread = threading.Thread(target=self.run, name="ahead", daemon=True)

    def run(self) -> None:
        """Make items until they end, one of them fails, or the consumer has stopped."""
        try:
            iterator = iter(self.items)
            try:
                for item in iterator:
                    if not self.put(item):
                        break
            finally:
                close = getattr(iterator, "close", None)
                if close is not None:
                    close()
        except BaseException as fault:  # raised again where the items are consumed
            self.fault = fault
        finally:
            with self.changed:
                self.ended = True
                self.changed.notify_all()

    def put(self, item: object) -> bool:
        """Hand over an item once there is room; False where nobody wants it."""
        with self.changed:
            self.changed.wait_for(lambda: self.stopped or len(self.ready) < self.depth)
            self.ready.append(item)
            self.changed.notify_all()
            return not self.stopped

    def stop(self) -> None:
        """Tell the thread that nobody wants more, and wait for its end."""
        with self.changed:
            self.stopped = True
            self.changed.notify_all()
        if self.thread.ident is not None:
            self.thread.join()


def _consume(producer: _Producer) -> Iterator:
    try:
        producer.thread.start()
        while True:
            with producer.changed:
                producer.changed.wait_for(lambda: producer.ready or producer.ended)
                if not producer.ready:
                    break
                item = producer.ready.popleft()
                producer.changed.notify_all()
            yield item
            del item  # a picture that the consumer has let go of need not wait for the next one
        if producer.fault is not None:
            raise producer.fault
    finally:
        producer.stop()
