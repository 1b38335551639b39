"""Look for a value that has two objects, and for what hangs or fails, in a race.

threads     four threads build the same new values at once, with a switch interval of a microsecond,
            and build them again while they let go of them; without a GIL, as many threads as there
            are cores, and four times as many
finalisers  a collection in the middle of a construction runs a finaliser that builds the same value
callbacks   the same with a weak reference callback; every other time that collection takes the
            object that the value had, too
statistics  stats() is read while three threads construct, once in ten rounds: it waits for them
churn       as many threads as in the first check build, look at and let go of three values for
            --seconds, while one more reads stats()
installs    install() and uninstall() while three threads decode, once in ten rounds: what they decode
            stays the same
forks       a process that is forked while three threads construct does so too; without a GIL, while
            none does, because a lock that threads wait for may then stay locked in the child, that of
            any dict
exits       finalisers construct that run late in the exit of the interpreter; all must succeed, and
            nothing be printed

A check that takes longer than the limit is at fault: a table that spins or waits never ends.

Exit code: 0 no fault, 1 a fault, 2 bad usage.
"""

from __future__ import annotations

import argparse
import builtins
import gc
import logging
import os
import platform
import signal
import sys
import tempfile
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from importlib import import_module
from typing import Any, Callable, Iterator, NoReturn, Sequence
from weakref import ref

import exabgp.rib
from exabgp.environment import getenv
from exabgp.logger import log

import exabgp_intern  # so that a finaliser with this module's names holds the package at exit
from exabgp_intern import lines, stats
from exabgp_intern.attribute import sightings
from exabgp_intern.table import Table

# Without a GIL threads really run at once, and collections wait until no function of C runs.
GIL = getattr(sys, '_is_gil_enabled', lambda: True)()
CORES = os.cpu_count() or 1
THREADS = [4] if GIL else [CORES, 4 * CORES]

values = import_module('race_values' if lines.nlris_hold() else 'race_values6')
BUILDERS, DECODERS = values.BUILDERS, values.DECODERS


def build(number: int) -> list[Any]:
    return [builder(number) for builder in (*BUILDERS, *DECODERS)]


def duplicates(*built: Sequence[Any]) -> int:
    """Return for how many values not all of `built` have the same object."""
    return sum(len(set(map(id, objects))) > 1 for objects in zip(*built))


def fail(verdict: str) -> NoReturn:
    print('FAULT:', verdict, flush=True)
    os._exit(1)  # a thread may be waiting for ever


# ------------------------------------------------------------------------------------------ checks


def threads(rounds: int) -> dict[str, int]:
    return {'duplicates': sum(aligned(rounds, count) for count in THREADS)}


def aligned(rounds: int, count: int) -> int:
    """Let `count` threads build the same values at once, and return the number of duplicates."""
    built: list[list[Any]] = [[]] * count
    barrier = threading.Barrier(count)
    found = 0

    def run(mine: int) -> None:
        nonlocal found
        for number in range(rounds):
            barrier.wait()
            built[mine] = []
            # in odd rounds the values of the round before, whose objects go at this moment
            built[mine] = [made for value in range(5) for made in build(number // 2 * 5 + value)]
            if barrier.wait() == 0:
                found += duplicates(*built)
            barrier.wait()

    with ThreadPoolExecutor(count) as pool:
        for running in [pool.submit(run, mine) for mine in range(count)]:
            running.result()
    return found


class Garbage:
    """A cycle, with what it holds in it; younger than it, for its references to be called back first."""

    def __init__(self) -> None:
        self.cycle = self
        self.held: Any = None


class Finalised(Garbage):
    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__()
        self.act = act

    def __del__(self) -> None:
        self.act()


def finalisers(rounds: int) -> dict[str, int]:
    def leave(number: int, builder: Callable[[int], Any], act: Callable[[], None]) -> None:
        Finalised(act)

    return collected(rounds, leave)


def callbacks(rounds: int) -> dict[str, int]:
    def leave(number: int, builder: Callable[[int], Any], act: Callable[[], None]) -> Any:
        garbage = Garbage()
        if number % 2:
            garbage.held = builder(number)
        return ref(garbage, lambda _: act())

    return collected(rounds, leave)


def collected(rounds: int, leave: Callable[..., Any]) -> dict[str, int]:
    """Build values, each when a collection is due of garbage that builds the value again."""
    found = within = 0
    builders = BUILDERS + DECODERS
    for number in range(rounds):
        builder = builders[number // 2 % len(builders)]
        built: list[Any] = []
        gc.collect()
        watch = leave(number, builder, lambda: built.append(builder(number)))  # noqa: B023
        # due at the first to eighth allocation from here
        gc.set_threshold(gc.get_count()[0] + number // 2 // len(builders) % 8)
        gc.enable()
        made = builder(number)
        gc.disable()
        within += len(built)
        gc.collect()
        del watch
        if len(built) != 1:
            fail(f'the garbage of round {number} built {len(built)} times')
        found += duplicates([made], built)
    if GIL and not within:
        fail('no collection fell into a construction')
    return {'duplicates': found, 'collections within a construction': within}


@contextmanager
def running(count: int, act: Callable[[], Any]) -> Iterator[None]:
    """Let `count` threads call `act` again and again."""
    over = threading.Event()

    def run() -> None:
        while not over.is_set():
            act()

    with ThreadPoolExecutor(count) as pool:
        submitted = [pool.submit(run) for _ in range(count)]
        try:
            yield
        finally:
            over.set()
        for each in submitted:
            each.result()


def build_a_few() -> list[list[Any]]:
    return [build(number) for number in range(8)]


def churn(seconds: int) -> dict[str, int]:
    texts = [list(map(str, build(number))) for number in range(3)]
    found = wrong = count = 0
    lock = threading.Lock()

    def act() -> None:
        nonlocal found, wrong, count
        for number, expected in enumerate(texts):
            first = build(number)
            second = build(number)
            differ, others = duplicates(first, second), [str(made) for made in first] != expected
            with lock:
                found, wrong, count = found + differ, wrong + others, count + 2 * len(first)

    for threads_now in THREADS:
        with running(threads_now, act), running(1, stats):
            time.sleep(seconds)
    gc.collect()
    left = sum(len(table.data) for table in values.TABLES)
    if wrong or left:
        fail(f'{wrong} wrong values, and {left} entries left in the tables')
    return {'duplicates': found, 'constructions': count}


def installs(rounds: int) -> dict[str, int]:
    decoders = values.DECODERS[1:]  # the first does not ask ExaBGP
    texts = [[str(decode(number)) for decode in decoders] for number in range(8)]

    def act() -> None:
        for number, expected in enumerate(texts):
            if [str(decode(number)) for decode in decoders] != expected:
                fail(f'number {number} was decoded to something else')

    times = -(-rounds // 10)
    with running(3, act):
        for _ in range(times):
            exabgp_intern.uninstall()
            exabgp_intern.install()
    exabgp_intern.uninstall()
    for hooks in values.HOOKS:
        hooks.install()
    return {'times installed': times}


def statistics(rounds: int) -> dict[str, int]:
    held = [build(number) for number in range(100, 600)]
    seen = 0
    times = -(-rounds // 10)
    with running(3, build_a_few):
        for _ in range(times):
            for name, counts in stats().items():
                seen += counts.alive
                if min(counts.alive, counts.references, counts.freed) < 0:
                    fail(f'{name} has {counts}')
    if seen < times * sum(map(len, held)):
        fail('the statistics missed objects')
    return {'objects seen': seen}


def child(run: Callable[[], Any]) -> int:
    """Run in a forked process, with a limit of its own; return its wait status."""
    number = os.fork()
    if number:
        return os.waitpid(number, 0)[1]
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(10)
    return sys.exit(run())


def forks(rounds: int) -> dict[str, int]:
    held = build(8)

    def run() -> NoReturn:
        found = sum(duplicates(build(number), build(number)) for number in range(10)) + duplicates(held, build(8))
        os._exit(found)

    found = 0
    with running(3, build_a_few) if GIL else nullcontext():
        for number in range(rounds):
            status = child(run)
            if os.WIFSIGNALED(status):
                fail(f'forked process {number} of {rounds} ended by {signal.Signals(os.WTERMSIG(status)).name}')
            found += os.WEXITSTATUS(status)
    return {'duplicates': found}


class Late:
    # Without a GIL ExaBGP's modules are empty by then, and its constructors, the last three, fail.
    def __del__(self, builders: Any = BUILDERS if GIL else BUILDERS[:-3], write: Any = os.write) -> None:
        for builder in builders:
            builder(7)
        write(1, b'.')


# What the interpreter takes apart at different times; ExaBGP's own classes still work in all of them.  A class goes
# after the built-in names.  ExaBGP 6's own classes do not work any more then, and without a GIL it may not go at all.
PLACES = (sys.modules['__main__'], exabgp.rib, logging, threading.local(), builtins, sys)
PLACES += (Late, Table) if GIL and lines.nlris_hold() else ()


def exits(rounds: int) -> dict[str, int]:
    each = rounds // len(PLACES) // 5 + 1
    built = 0

    def run() -> None:
        gc.unfreeze()
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        for number in range(each):
            setattr(place, f'late{number}', Late())

    for place in PLACES * 5:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            status = child(run)
            out.seek(0)
            err.seek(0)
            done, printed = len(out.read()), err.read().decode()
        if printed or status or done < each:
            print(printed[:1000])
            fail(f'{done} of {each} finalisers in {place} succeeded at exit, with status {status}')
        built += done
    return {'finalisers': built}


CHECKS = (threads, finalisers, callbacks, statistics, churn, installs, forks, exits)

# ------------------------------------------------------------------------------------------ faults


class Faulty(Table):
    def entry(self, key: Any, instance: Any) -> Any:
        """Return an entry as a sound table makes it."""
        made = self._entry(instance, self._remove)
        made.key = key
        next(self._misses)
        return made


class GetThenSet(Faulty):
    """Look first, then add."""

    def keep(self, key: Any, instance: Any) -> Any:
        held = self.data.get(key)
        winner = None if held is None else held()
        if winner is None:
            self.data[key] = self.entry(key, instance)
            winner = instance
        return winner


class Lock(GetThenSet):
    """Look and add under a lock, which its own thread may enter again."""

    lock = threading.RLock()

    def keep(self, key: Any, instance: Any) -> Any:
        with self.lock:
            return super().keep(key, instance)


class NoEvict(Faulty):
    """Add in one step, but wait for a dead entry to be removed by somebody else."""

    def keep(self, key: Any, instance: Any) -> Any:
        made = self.entry(key, instance)
        winner = None
        while winner is None:
            winner = self.data.setdefault(key, made)()
        return winner


class Iterate(Table):
    """Show the entries themselves, not a copy of them."""

    def valuerefs(self) -> Any:
        return [entry for entry in self.data.values()]  # noqa: C416  # list() would be one step


class Import(Table):
    """Import what it needs when it needs it."""

    def keep(self, key: Any, instance: Any) -> Any:
        import weakref  # noqa: F401

        return super().keep(key, instance)


FAULTS = {'get-then-set': GetThenSet, 'lock': Lock, 'no-evict': NoEvict, 'iterate': Iterate, 'import': Import}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rounds', type=int, default=3000, help='of each check, %(default)s')
    parser.add_argument('--seconds', type=int, default=10, help='of churn, for each number of threads, %(default)s')
    parser.add_argument('--limit', type=int, default=250, help='seconds for each check, %(default)s')
    parser.add_argument('--plant', choices=FAULTS, help='make the tables faulty, to see it found')
    options = parser.parse_args()
    if min(options.rounds, options.seconds, options.limit) < 1:
        parser.error('the numbers are 1 at least')

    log.init(getenv())
    # Attributes and sets are shared at once, and not only when they come again: each value has one object then.
    sightings.seen_before = lambda key: True
    for hooks in values.HOOKS:
        hooks.install()
    if options.plant:
        for table in values.TABLES:
            table.__class__ = type('Faulty', (FAULTS[options.plant], type(table)), {})
    warnings.simplefilter('ignore', DeprecationWarning)  # of os.fork() beside threads: it is what we test
    sys.setswitchinterval(1e-6)
    gc.disable()
    gc.freeze()  # for the collections to be quick

    gil = '' if GIL else ' without a GIL'
    print(f'Python {platform.python_version()}{gil}, {CORES} cores', flush=True)
    faulty = []
    for check in CHECKS:
        name = check.__name__
        signal.signal(signal.SIGALRM, lambda *_: fail(f'{name} not done in {options.limit} s'))  # noqa: B023
        signal.alarm(options.limit)
        start = time.perf_counter()
        try:
            counts = check(options.seconds if check is churn else options.rounds)
        except Exception as error:
            fail(f'{name} raised {error!r}')
        signal.alarm(0)
        seconds = time.perf_counter() - start
        results = ', '.join(f'{number:,} {what}' for what, number in counts.items())
        rounds = f'{options.rounds:,} rounds in ' if check is not churn else ''
        print(f'{name}: {rounds}{seconds:.2f} s, {results}', flush=True)
        if counts.get('duplicates'):
            faulty.append(name)
    if faulty:
        fail(f'duplicates under {", ".join(faulty)}')
    print('no fault: every value had one object')


if __name__ == '__main__':
    main()
