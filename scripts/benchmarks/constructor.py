"""One value of a class again and again, and values that were not there: interned, and what else would do it.

All ways are timed in turn in one process, and the ratio to ExaBGP's own class counts, turn by turn.  Where things lie
in the memory of a process moves all its ratios, by some hundredths: so there are several.
"""

from __future__ import annotations

import gc
import platform
import random
import time
import tracemalloc
from functools import lru_cache
from struct import Struct, pack
from timeit import Timer
from typing import Any, Callable, NamedTuple

from benchmarks.common import Child, Table, bars, drawn, shown, spread, start, version

NAME = 'Constructors'
SIZE = (11, 8)
HELD = 100  # values alive when hits are timed: fewer than any of the caches holds
MANY = 10  # times more values than the caches hold, and routes a value
PROCESSES = 3
MEASURES = {
    ('hit', 'constructor'): 'Constructor, hit',
    ('hit', 'from_packed'): 'From packed, hit',
    ('miss', 'constructor'): 'Constructor, miss',
    ('miss', 'from_packed'): 'From packed, miss',
}


class Shape(NamedTuple):
    """How values of a class are made up from a number."""

    argument: str  # what the constructor is called with, given `value`
    value: Callable[[int], Any]
    wire: Callable[[int], bytes]
    key: Callable[..., Any]  # hashable, from what the constructor is called with
    limits: tuple[int, int]  # the least and the most items of an LRU cache of ExaBGP's


def _same(value: Any = None, *others: Any) -> Any:
    return (value, *others)


def _stack(labels: Any, bos: bool = True, raw_labels: Any = None) -> Any:
    return tuple(labels), bos, raw_labels and tuple(raw_labels)


def _mac(number: int) -> str:
    return ':'.join(f'{octet:02X}' for octet in number.to_bytes(6, 'big'))


def _next_hop(number: int) -> tuple[str, bytes]:
    octets = pack('!I', number)
    return '.'.join(map(str, octets)), octets


def _rd(number: int) -> bytes:
    return pack('!HHI', 0, 65000, number)


SHAPES = {
    'RouteDistinguisher': Shape('value', _rd, _rd, _same, (50, 500)),
    'Labels': Shape('[value]', int, lambda n: (n << 4 | 1).to_bytes(3, 'big'), _stack, (100, 1000)),
    'PathInfo': Shape('value', lambda n: pack('!I', n), lambda n: pack('!I', n), _same, (50, 256)),
    'ESI': Shape('value', lambda n: n.to_bytes(10, 'big'), lambda n: n.to_bytes(10, 'big'), _same, (50, 256)),
    'EthernetTag': Shape('value', int, lambda n: pack('!I', n), _same, (50, 256)),
    'MAC': Shape('value', _mac, lambda n: n.to_bytes(6, 'big'), _same, (50, 256)),
    'NextHop': Shape('*value', _next_hop, lambda n: pack('!I', n), _same, (50, 256)),
}  # fmt: skip


class Maker(NamedTuple):
    """The two ways to a value; None where there is none of its own."""

    constructor: Callable[..., Any] | None
    from_packed: Callable[[bytes], Any] | None


def _stock(name: str, stock: Any) -> Maker:
    return Maker(stock, getattr(stock, 'unpack', stock))


def _interned(name: str, stock: Any) -> Maker:
    from exabgp_intern import canonical_class

    cls = canonical_class(name)
    return Maker(cls, cls.from_packed)


def _exabgp_lru(name: str, stock: Any) -> Maker:
    from exabgp.util.cache import Cache

    unpack = _stock(name, stock).from_packed

    class Cached(stock):
        cache = Cache(*SHAPES[name].limits)

        @classmethod
        def from_packed(cls, packed: bytes) -> Any:
            if packed in cls.cache:
                return cls.cache.retrieve(packed)
            return cls.cache.cache(packed, unpack(packed))

    return Maker(None, Cached.from_packed)  # the constructor stays ExaBGP's


def _lru_cache(name: str, stock: Any) -> Maker:
    cached = lru_cache(SHAPES[name].limits[1])
    # a list of labels cannot be a key
    return Maker(None if name == 'Labels' else cached(stock), cached(_stock(name, stock).from_packed))


def _hashcons(name: str, stock: Any) -> Maker:
    from hashcons import InstanceStore

    store, key = InstanceStore(), SHAPES[name].key

    class Consed(stock):
        def __new__(cls, *arguments: Any, **keywords: Any) -> Any:
            with store.instance(cls, key(*arguments, **keywords)) as self:
                if self is None:
                    self = super().__new__(cls)
                    stock.__init__(self, *arguments, **keywords)
                    store.register(self)
                return self

        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            """Do not fill again what the store returns."""

    return Maker(Consed, getattr(Consed, 'unpack', Consed))


def _multiton(name: str, stock: Any) -> Maker:
    from multiton import MultitonMetaFactory

    relevant = (0, tuple) if name == 'Labels' else 0

    class Multiton(stock, metaclass=MultitonMetaFactory(relevant)):
        pass

    # unpack gives raw_labels by keyword, and a keyword that counts would have to be given at each call
    return Maker(Multiton, None if name == 'Labels' else getattr(Multiton, 'unpack', Multiton))


def _bare(name: str, stock: Any) -> Maker | None:
    """Return a `__new__` and a decoder that do nothing but look up: what finds values in `__new__` cannot take less."""
    from exabgp_intern import canonical_class

    cls, shape = canonical_class(name), SHAPES[name]
    if shape.argument != 'value' or name == 'MAC':  # what the constructor is given is not the key
        return None
    alive = [cls(shape.value(number)) for number in range(1, HELD + 1)]
    refs, number = cls._table.data, Struct('!L').unpack

    class Bare:
        held = alive

        def __new__(cls, value: Any = ...) -> Any:
            return refs[value]()

    def from_octets(packed: bytes) -> Any:
        return refs[packed]()

    def from_number(packed: bytes) -> Any:
        return refs[number(packed)[0]]()

    return Maker(Bare, from_number if name == 'EthernetTag' else from_octets)


PACKAGES = ('hashcons', 'multiton')  # of PyPI
MAKERS = {
    'stock': _stock,
    'interned': _interned,
    'ExaBGP LRU': _exabgp_lru,
    'lru_cache': _lru_cache,
    'hashcons': _hashcons,
    'multiton': _multiton,
}
BARE = 'bare lookup'
MARKS = {
    'interned': ('#1f77b4', 'o'),
    'ExaBGP LRU': ('#d62728', 's'),
    'lru_cache': ('#2ca02c', '^'),
    'hashcons': ('#9467bd', 'D'),
    'multiton': ('#ff7f0e', 'v'),
}


def run(child: Child) -> dict[str, Any]:
    """Return, by Python and by class, what measure() returns, the times as spreads over all processes."""
    sizes = {'turns': 2, 'calls': 200} if child.quick else {'turns': 8, 'calls': 2000}
    many = 2 if child.quick else MANY
    results: dict[str, Any] = {}
    for python in child.pythons:
        for name in SHAPES:
            first, *others = (
                child(python, name=name, many=many if number == 0 else 0, **sizes) for number in range(PROCESSES)
            )
            for event, kinds in first['times'].items():
                for kind, ways in kinds.items():
                    for way, figures in ways.items():
                        for figure, series in figures.items():
                            for other in others:
                                series += other['times'][event][kind][way][figure]
                            figures[figure] = spread(series)
            results.setdefault(first['python'], {})[name] = first
    return results


def measure(name: str, turns: int, calls: int, many: int) -> dict[str, Any]:
    """Return for the class `name`, by way, the times and their ratios to stock, and what many values do to it."""
    start('stock')
    from exabgp_intern import canonical_class

    shape, stock = SHAPES[name], canonical_class(name)._stock
    ways = {way: make for way, make in MAKERS.items() if way not in PACKAGES or version(way)}
    makers = {way: make(name, stock) for way, make in ways.items()}
    bare = _bare(name, stock)
    times = {
        'hit': _timed({**makers, **({BARE: bare} if bare else {})}, shape, True, turns, calls),
        'miss': _timed(makers, shape, False, turns, calls),
    }
    fresh = {way: lambda make=make: make(name, stock) for way, make in ways.items()}
    return {
        'python': platform.python_version(),
        'packages': {package: version(package) for package in PACKAGES},
        'times': times,
        'many': _many(fresh, shape, many) if many else None,
    }


def _timed(makers: dict[str, Maker], shape: Shape, hit: bool, turns: int, calls: int) -> dict[str, Any]:
    """Return by kind of maker and by way, turn by turn, nanoseconds a call and its ratio to stock's constructor."""
    gc.collect()
    gc.freeze()  # what ExaBGP's modules hold is not to be collected through each time
    seconds: dict[tuple[str, str], list[float]] = {}
    for turn in range(turns):
        first = HELD + 1 + turn * calls
        numbers = [*range(1, HELD + 1)] * (calls // HELD) if hit else range(first, first + calls)
        for kind, argument, value in (
            ('constructor', shape.argument, shape.value),
            ('from_packed', 'value', shape.wire),
        ):
            held = [value(number) for number in range(1, HELD + 1)] if hit else []
            for way, maker in list(makers.items())[:: -1 if turn % 2 else 1]:
                make = getattr(maker, kind)
                if make:
                    # octets as they come from the wire: nobody has their hash yet
                    values = [value(number) for number in numbers]
                    # As routes do it: all are kept, and what is kept is collected through.
                    timer = Timer(
                        f'made = [make({argument}) for value in values]',
                        f'alive = [make({argument}) for value in held]; gc.collect(); gc.enable()',
                        time.process_time,
                        globals={'make': make, 'values': values, 'held': held, 'gc': gc},
                    )
                    seconds.setdefault((kind, way), []).append(timer.timeit(1))
    result: dict[str, Any] = {'constructor': {}, 'from_packed': {}}
    for (kind, way), series in seconds.items():
        result[kind][way] = {
            'nanoseconds': [1e9 * one / calls for one in series],
            'ratio': [one / stock for one, stock in zip(series, seconds['constructor', 'stock'])],
        }
    return result


def _many(ways: dict[str, Callable[[], Maker]], shape: Shape, many: int) -> dict[str, Any]:
    """Return by way what becomes of `many` times more values than the caches hold, each of `many` routes.

    `hit_rate` of 1; `objects` a value, 1 where the same value is the same object; `ratio` of the time to stock;
    octets that are traced: `live` with all routes, the `peak`, and `left` when all routes are gone.
    """
    values = many * shape.limits[1]
    numbers = [number % values + 1 for number in range(many * values)]
    random.Random(0).shuffle(numbers)
    wires = [shape.wire(number) for number in numbers]
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(5):
        for way, fresh in ways.items():
            maker = fresh()
            if maker.from_packed:
                statement = 'made = [make(wire) for wire in wires]'
                names = {'make': maker.from_packed, 'wires': wires, 'gc': gc}
                timer = Timer(statement, 'gc.collect(); gc.enable()', time.process_time, globals=names)
                seconds[way].append(timer.timeit(1))
    result = {}
    for way, fresh in ways.items():
        make = fresh().from_packed
        if not make:
            continue
        made: list[Any] = [None] * len(numbers)
        gc.collect()
        tracemalloc.start()
        for at, number in enumerate(numbers):
            made[at] = make(shape.wire(number))
        live, peak = tracemalloc.get_traced_memory()
        objects = len({id(one) for one in made})
        made.clear()
        gc.collect()
        left = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        result[way] = {
            'hit_rate': 1 - objects / len(numbers),
            'objects': objects / values,
            'ratio': spread([one / stock for one, stock in zip(seconds[way], seconds['stock'])]),
            'live': live,
            'peak': peak,
            'left': left,
        }
    return {'times': many, 'values': values, 'ways': result}


def tables(results: dict[str, Any]) -> list[Table]:
    """Return one table for each of MEASURES with a column for each Python, and one on many values."""
    pythons = list(results)
    found = []
    for (event, kind), title in MEASURES.items():
        rows = []
        for name in SHAPES:
            for way in (*MAKERS, BARE):
                of = [results[python][name]['times'][event][kind].get(way) for python in pythons]
                if way == 'stock' and kind == 'constructor':
                    rows.append((name, 'stock, ns', *(shown(one['nanoseconds'], '.0f') for one in of)))
                elif any(of):
                    rows.append((name, way, *(shown(one and one['ratio']) for one in of)))
        found.append(Table(f'{title}: time over that of the stock constructor', ('class', 'way', *pythons), rows))
    python = drawn(results)
    rows = [
        (
            f'{name}, {results[python][name]["many"]["values"]:,}',
            way,
            f'{one["hit_rate"]:.1%}',
            f'{one["objects"]:.2f}',
            shown(one['ratio']),
            *(f'{one[octets]:,}' for octets in ('live', 'peak', 'left')),
        )
        for name in SHAPES
        for way, one in results[python][name]['many']['ways'].items()
    ]
    columns = (
        'class, values',
        'way',
        'hit rate',
        'objects a value',
        'time over stock',
        'bytes',
        'at most',
        'when all are gone',
    )
    many = results[python]['ESI']['many']['times']
    title = f'{many} × more values than the caches hold, {many} routes each, CPython {python}'
    return [*found, Table(title, columns, rows)]


def draw(results: dict[str, Any], figure: Any) -> None:
    """Draw hits and misses over stock, a point for each class and way, for one Python."""
    python = drawn(results)
    all_axes = list(figure.subplots(2, 2, sharex=True, sharey=True).flat)
    for axes, ((event, kind), title) in zip(all_axes, MEASURES.items()):
        for way, (colour, marker) in MARKS.items():
            points = [
                (of['times'][event][kind][way]['ratio'], at)
                for at, of in enumerate(results[python].values())
                if way in of['times'][event][kind]
            ]
            middles, errors = bars([ratio for ratio, _ in points])
            places = [at for _, at in points]
            axes.errorbar(middles, places, xerr=errors, fmt=marker, color=colour, label=way, capsize=2)
        axes.axvline(1, color='black', linewidth=0.8)
        axes.set_xscale('log')
        ticks = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.minorticks_off()
        axes.grid(axis='x', alpha=0.3)
        axes.set_yticks(range(len(SHAPES)), SHAPES)
        axes.set_title(title, fontsize='medium')
    all_axes[0].invert_yaxis()
    for axes in all_axes[2:]:
        axes.set_xlabel(f'time over that of the stock constructor, CPython {python}')
    legend = {way: handle for axes in all_axes for handle, way in zip(*axes.get_legend_handles_labels())}
    shown_ways = [way for way in MARKS if way in legend]
    figure.legend([legend[way] for way in shown_ways], shown_ways, loc='outside upper center', ncols=5)
