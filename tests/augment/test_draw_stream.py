"""No number is drawn twice: not in workers, epochs, ranks, copies, or after a resume."""

from __future__ import annotations

import copy
import functools
import importlib
import io
import itertools
import multiprocessing
import os
import pickle
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from one_number import (
    GREY,
    LENGTH,
    POLICY,
    Collate,
    Transformed,
    epochs,
    in_a_process,
    loader_of,
    number,
    on_a_rank,
)  # fmt: skip
from torch.utils.data import DataLoader

from augsearch.augment.baselines import BASELINES
from augsearch.augment.export.export import export_policy
from augsearch.augment.stream import DrawStream
from augsearch.errors import ConfigError
from augsearch.space.presets import find_config
from augsearch.space.space import load_space


def build(seed: int = 0, **place):
    return POLICY.build(image_size=8, seed=seed, **place)


def flat(lists) -> list[float]:
    return list(itertools.chain.from_iterable(lists))


WAYS = [
    (0, None, False),
    *[(workers, "fork", persistent) for workers in (2, 4) for persistent in (False, True)],
    (2, "spawn", False),
]
SLOW_WAYS = [(2, "spawn", True), (4, "spawn", False), (4, "spawn", True)]


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")  # on few cores
@pytest.mark.parametrize(
    ("workers", "context", "persistent"),
    [*WAYS, *(pytest.param(*way, marks=pytest.mark.slow) for way in SLOW_WAYS)],
)
def test_workers_and_epochs_draw_as_many_numbers_as_there_are_calls(workers, context, persistent):
    count = 2 if context == "spawn" else 3
    drawn = epochs(loader_of(build(), workers, context, persistent), count)
    assert len(set(flat(drawn))) == len(flat(drawn)) == 2 * LENGTH * count
    torch.manual_seed(1)  # what torch seeds workers by does not matter, nor how they are started
    again = epochs(loader_of(build(), workers, context and "fork", persistent), count)
    assert drawn == again
    other = epochs(loader_of(build(seed=1), 0), count)
    assert not set(flat(drawn)) & set(flat(other))


def test_whole_batches_in_collate_draw_anew_each_time():
    images: Any = [GREY] * LENGTH  # a list will do
    loader = DataLoader(images, batch_size=4, num_workers=2, collate_fn=Collate(build()))
    numbers = flat(epochs(loader, 3))
    assert len(set(numbers)) == len(numbers) == 2 * LENGTH * 3


@pytest.mark.parametrize("workers", [0, 2])
def test_a_resumed_run_draws_on_where_it_stopped(workers):
    through = epochs(loader_of(build(), workers), 3)
    first = build()
    before = epochs(loader_of(first, workers), 1)
    checkpoint = io.BytesIO()
    torch.save(first.state_dict(), checkpoint)
    checkpoint.seek(0)
    resumed = build()
    resumed.load_state_dict(torch.load(checkpoint, weights_only=True))
    assert before + epochs(loader_of(resumed, workers), 2) == through


def test_a_run_that_stopped_within_an_epoch_repeats_nothing():
    first = build()
    iterator = iter(loader_of(first, 2))
    seen = [float(n) for _ in range(10) for n in next(iterator)]
    state = first.state_dict()
    del iterator
    resumed = build()
    resumed.load_state_dict(state)
    assert not set(seen) & set(flat(epochs(loader_of(resumed, 2), 2)))
    later = build()
    later.set_step(1000)  # the other way to say where a run is
    assert not set(seen) & set(flat(epochs(loader_of(later, 2), 1)))


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def side_by_side(target, arguments) -> list:
    """What two processes put into a queue, in their order; names as the first two would have."""
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    processes = [
        context.Process(target=target, args=(*own, results), name=f"ForkProcess-{number}")
        for number, own in enumerate(arguments)
    ]
    for process in processes:
        process.start()
    found = sorted(results.get(timeout=600) for _ in processes)
    for process in processes:
        process.join()
        assert process.exitcode == 0
    return found


@pytest.mark.long
def test_two_gloo_ranks_and_their_workers_draw_apart():
    def run(spawning):
        views, port = build(), free_port()  # one module for both, made before there are ranks
        target = functools.partial(on_a_rank, spawning=spawning)
        return side_by_side(target, [(rank, 2, port, views) for rank in range(2)])

    found = run(spawning=True)
    # 10 calls, 2 epochs of 10 in forked workers and 1 in a spawned one, two views each, on 2 ranks.
    numbers = [n for _, own, workers in found for n in [*own, *flat(workers)]]
    assert len(set(numbers)) == len(numbers) == 2 * 2 * (10 + 20 + 10)
    for first, again in zip(found, run(spawning=False), strict=True):
        assert first[1] == again[1]
        assert first[2][:2] == again[2]


def test_workers_of_processes_that_are_no_ranks_draw_apart():
    views = build()
    found = side_by_side(in_a_process, [(rank, views) for rank in range(2)])
    numbers = [n for _, workers in found for n in flat(workers)]
    assert len(set(numbers)) == len(numbers) == 2 * 2 * 20


def test_ranks_can_be_given():
    places = [(0, 2), (1, 2), (0, 3), (0, 1)]
    modules = [build(), *(build(rank=rank, world_size=world) for rank, world in places)]
    drawn = [[next_number(views) for _ in range(5)] for views in modules]
    assert len(set(flat(drawn[1:]))) == 20
    assert drawn[0] == drawn[-1]
    for wrong in ({"rank": 1}, {"world_size": 2}, {"rank": 2, "world_size": 2}):
        with pytest.raises(ConfigError, match="rank"):
            build(**wrong)


def test_a_pool_of_processes_draws_apart_and_a_fork_by_hand_says_so():
    views = build()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        drawn = pool.map(next_number, [views] * 12, chunksize=1)
    assert len({*drawn, number(views(GREY[None])[0])}) == 13
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        with pytest.warns(UserWarning, match="forked by hand"):
            first = next_number(views)
        os.write(writer, str(first).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert float(os.read(reader, 100)) != next_number(views)


def test_an_exported_transform_draws_by_the_same_rules(tmp_path, monkeypatch):
    (tmp_path / "views_gamma.py").write_text(export_policy(POLICY, "torchvision", 8))
    monkeypatch.syspath_prepend(tmp_path)
    build = importlib.import_module("views_gamma").build_transform
    torch.manual_seed(0)
    expected, _ = torch.rand(3), torch.manual_seed(0)
    through = epochs(DataLoader(Transformed(build()), batch_size=None, num_workers=2), 3)
    assert len(set(flat(through))) == len(flat(through)) == 2 * LENGTH * 3
    first, second = build(), build()
    epochs(DataLoader(Transformed(first), batch_size=None, num_workers=2), 1)
    second.load_state_dict(first.state_dict())
    later = epochs(DataLoader(Transformed(second), batch_size=None, num_workers=2), 2)
    assert later == through[1:]
    ranks = [number(build(rank=rank, world_size=2)(GREY)[0]) for rank in range(2)]
    assert len({*ranks, number(build()(GREY)[0]), number(build(seed=1)(GREY)[0])}) == 4
    torch.manual_seed(0)
    build()(GREY)
    assert torch.equal(torch.rand(3), expected)  # the global generator is left alone


def next_number(views) -> float:
    return number(views(GREY[None])[0])


def test_threads_share_the_steps():
    stream = DrawStream(0)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            drawn = list(pool.map(lambda _: stream.next(), range(4000)))
    finally:
        sys.setswitchinterval(before)
    assert sorted(drawn) == [(0, step) for step in range(4000)]


def test_copies_go_on_alike_and_their_workers_are_counted():
    views = build()
    views(GREY[None])
    for twin in (copy.deepcopy(views), pickle.loads(pickle.dumps(views))):
        assert twin.state_dict() == views.state_dict()
        numbers = flat(epochs(loader_of(twin, 2), 2))
        assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("name", BASELINES)
def test_policies_spaces_and_views_can_be_pickled(name):
    policy = BASELINES[name]
    assert pickle.loads(pickle.dumps(policy)) == policy
    views = policy.build(image_size=8)
    images = torch.randint(0, 256, (4, 3, 16, 16), dtype=torch.uint8)
    twin = pickle.loads(pickle.dumps(views))
    assert all(map(torch.equal, twin(images), views(images)))


def test_a_space_can_be_pickled():
    space = load_space(find_config("factory", "spaces"))
    assert pickle.loads(pickle.dumps(space)) == space
