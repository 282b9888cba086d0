import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.annotate.footage.ahead import ahead
from posediff.errors import BadSetting


def producers():
    return [thread for thread in threading.enumerate() if thread.name == "ahead"]


class Counter:
    """An endless iterator that knows how far it was asked, and in which thread it was closed."""

    def __init__(self):
        self.made = 0
        self.closed_in = None
        self.reached = threading.Condition()

    def __iter__(self):
        return self

    def __next__(self):
        with self.reached:
            self.made += 1
            self.reached.notify_all()
        return self.made

    def close(self):
        self.closed_in = threading.current_thread()

    def wait_until(self, made):
        with self.reached:
            return self.reached.wait_for(lambda: self.made >= made, timeout=10)


@given(st.lists(st.one_of(st.none(), st.integers(), st.text())), st.integers(1, 6))
def test_the_same_items_come_in_the_same_order(items, depth):
    assert list(ahead(items, depth)) == items
    assert producers() == []


@given(st.integers(0, 12), st.integers(1, 5))
def test_an_exception_comes_after_the_items_before_it(before, depth):
    def failing():
        yield from range(before)
        raise KeyError("planted")

    seen = []
    with pytest.raises(KeyError, match="planted"):
        seen.extend(iter_into(seen, ahead(failing(), depth)))
    assert seen == list(range(before))
    assert producers() == []


def iter_into(seen, items):
    for item in items:
        seen.append(item)
    return []


@given(taken=st.integers(0, 10), depth=st.integers(1, 5))
@settings(max_examples=50)
def test_a_consumer_that_stops_early_leaves_no_thread_and_closes_the_producer_where_it_ran(taken, depth):
    counter = Counter()
    items = ahead(counter, depth)
    assert [next(items) for _ in range(taken)] == list(range(1, taken + 1))
    items.close()
    assert producers() == []
    assert counter.made <= taken + depth + 1
    if taken:
        assert counter.closed_in is not None
        assert counter.closed_in is not threading.current_thread()


def test_an_exception_in_the_consumer_ends_the_thread():
    def consume():
        for _ in ahead(Counter(), 2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        consume()
    assert producers() == []


def test_items_are_made_while_the_consumer_is_busy_but_not_more_than_fit():
    counter = Counter()
    items = ahead(counter, 3)
    next(items)
    assert counter.wait_until(5)  # one taken, three waiting, one in the hand
    assert counter.made == 5
    next(items)
    assert counter.wait_until(6)
    items.close()


def test_an_iterable_that_fails_at_once_is_told():
    with pytest.raises(TypeError):
        list(ahead(5))


def test_nothing_is_made_before_the_first_item_is_wanted():
    counter = Counter()
    ahead(counter)
    assert counter.made == 0


@pytest.mark.parametrize("depth", [0, -1])
def test_a_queue_without_room_is_refused(depth):
    with pytest.raises(BadSetting, match=f"depth is {depth}"):
        ahead([1], depth)
