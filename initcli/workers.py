"""Work that many threads share: results come back in the order of the tasks, whatever the number of workers."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def default_jobs() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_ordered(function: Callable[[T], R], tasks: Iterable[T], jobs: int) -> Iterator[R]:
    """Yield function(task) in the order of the tasks, computed by `jobs` threads that run at most a few tasks ahead.

    The tasks are made in the thread that asks for the results, one after the other.
    """
    if jobs == 1:
        yield from map(function, tasks)
        return
    pool = ThreadPoolExecutor(jobs)
    waiting: deque[Future[R]] = deque()
    try:
        for task in tasks:
            waiting.append(pool.submit(function, task))
            if len(waiting) > 4 * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def gather(items: Iterable[T], size_of: Callable[[T], int], room: int) -> Iterator[list[T]]:
    """Yield the items in their order, small neighbours together, so that a task is about so much as there is room.

    >>> list(gather([3, 1, 2, 9, 1], size_of=int, room=4))
    [[3, 1], [2], [9], [1]]
    """
    task: list[T] = []
    left = room
    for item in items:
        size = size_of(item)
        if task and size > left:
            yield task
            task, left = [], room
        task.append(item)
        left -= size
    if task:
        yield task
