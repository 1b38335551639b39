"""The two implementations side by side, and all that can be seen of an object of either."""

from __future__ import annotations

import inspect
import types
from typing import Any, Callable

import pytest
from hypothesis import strategies as st

from exabgp_intern import lines
from exabgp_intern.attribute import sightings
from exabgp_intern.lines import canonical_class

NAMES = lines.classes()
OURS = {name: canonical_class(name) for name in NAMES}
STOCK = {name: OURS[name]._stock for name in NAMES}
SHARED = {name: OURS[name]._shared for name in NAMES}
SLOTS = '__slots__' in vars(STOCK['ESI'])  # ExaBGP 4.2
NO_HOOKS = not hasattr(STOCK['PathInfo'], '__copy__')  # 4.2 and the first 5.0: a copy of a sentinel is another object
FROM_WIRE = 'packed' in OURS['RouteDistinguisher']._parameters  # ExaBGP 6, which constructs from wire bytes
SENTINELS = (
    ('RouteDistinguisher', 'NORD'),
    ('Labels', 'NOLABEL'),
    ('PathInfo', 'NOPATH'),
    *([('PathInfo', 'DISABLED')] if FROM_WIRE else []),
)
from_parts = pytest.mark.skipif(FROM_WIRE, reason='ExaBGP 6 constructs from wire bytes')


def call(arguments: tuple[tuple[Any, ...], dict[str, Any]]) -> Callable[[Any], Any]:
    """Return what constructs a class with (positional, keyword) `arguments`; lists are copied first."""
    positional, keyword = arguments

    def own(value: Any) -> Any:
        return value[:] if isinstance(value, list) else value

    return lambda cls: cls(*map(own, positional), **{name: own(value) for name, value in keyword.items()})


def copied(arguments: Any) -> Any:
    """Return (positional, keyword) `arguments` with bytes for every buffer."""
    positional, keyword = arguments

    def octets(value: Any) -> Any:
        return bytes(value) if isinstance(value, (bytearray, memoryview)) else value

    return tuple(map(octets, positional)), {name: octets(value) for name, value in keyword.items()}


def outcome(make: Callable[[], Any]) -> Any:
    """Return the value, or the type and the text of the exception."""
    try:
        return make()
    except Exception as raised:
        return type(raised), str(raised)


def shares_from_second(monkeypatch: pytest.MonkeyPatch) -> set[bytes]:
    """Share each value from the second time that it comes, and return the keys that came."""
    known: set[bytes] = set()
    monkeypatch.setattr(sightings, 'seen_before', lambda key: key in known or bool(known.add(key)))
    return known


def with_a_fault(module: types.ModuleType, line: str, fault: str) -> Any:
    """Return a module that has the source of `module`, but `fault` in the place of its `line`."""
    source = inspect.getsource(module)
    assert source.count(line) == 1, line
    faulty = types.ModuleType('faulty')
    faulty.__dict__.update(__file__=module.__file__)
    exec(compile(source.replace(line, fault), 'faulty', 'exec'), faulty.__dict__)
    return faulty


def typed(value: Any) -> Any:
    """Return `value` so that what is equal but not the same differs; buffers as bytes, which is ours to do."""
    if isinstance(value, (bytearray, memoryview)):
        value = bytes(value)
    if isinstance(value, (list, tuple)):
        return type(value), tuple(map(typed, value))
    return type(value), repr(value)


def observed(qualifier: Any) -> dict[str, Any]:
    """Return all that ExaBGP's class lets one see of an instance."""
    stock = next(cls for cls in STOCK.values() if isinstance(qualifier, cls))
    seen = {name: typed(getattr(qualifier, name)) for name in OURS[stock.__name__]._state}
    for name, look in {
        'str': str,
        'repr': repr,
        'json': lambda it: it.json(),
        'pack': lambda it: getattr(
            it, next(name for name in dir(type(it)) if name.startswith('pack') and name != 'packed')
        )(),
        'len': len,
        'bool': bool,
        'hash': hash,
        'compare': lambda it: it < it,
        'equal': lambda it: it == it,
        'other': lambda it: it == object(),
        'unequal': lambda it: it != it,
    }.items():
        result = outcome(lambda look=look: look(qualifier))
        seen[name] = bytes(result) if isinstance(result, memoryview) else result
    for name in ('_str', 'address', 'decode', 'index', 'ipv4', 'ipv6', 'ton', 'top'):
        if hasattr(stock, name):
            seen[name] = outcome(getattr(qualifier, name))
    if hasattr(stock, '__iter__'):
        seen['iter'] = outcome(lambda: list(qualifier))
    return seen


def subclass(name: str) -> Any:
    """Return a subclass of the canonical class `name`, of the same name for the sake of messages."""
    return type(name, (OURS[name],), {})


def is_canonical(qualifier: Any) -> bool:
    """Return whether `qualifier` is what a table holds: the one instance of its value."""
    return type(qualifier) in SHARED.values()


octets = st.binary(max_size=12)
buffers = octets | octets.map(bytearray) | octets.map(memoryview)
numbers = st.floats(allow_nan=False)  # the hash of a NaN is that of the very object
odd = st.none() | st.booleans() | numbers | st.text(max_size=10) | st.lists(st.integers(), max_size=3)
integers = st.integers(-2, 2**32 + 1) | st.integers(0, 3)
labels = st.integers(-1, 2**28 + 1) | st.integers(0, 2**20 - 1) | st.integers(0, 2) | st.booleans()
stacks = st.lists(labels, max_size=3) | st.lists(labels, max_size=3).map(tuple)
raws = st.lists(st.integers(0, 2**24 + 1) | st.booleans(), max_size=3)


def _called(*positional: Any, **keyword: Any) -> st.SearchStrategy[Any]:
    return st.tuples(st.tuples(*positional), st.fixed_dictionaries({}, optional=keyword))


# What to construct a class with: (positional, keyword) arguments, right ones and wrong ones.
ARGUMENTS = {
    'RouteDistinguisher': _called(buffers | st.binary(min_size=8, max_size=8) | odd) | _called(rd=octets),
    'Labels': _called(stacks | odd, bos=st.booleans(), raw_labels=st.none() | raws)
    | _called(stacks, st.booleans(), raws)
    | raws.map(lambda raw: (([label >> 4 for label in raw],), {'raw_labels': raw})),
    'PathInfo': _called(packed=buffers | odd, integer=st.none() | integers, ip=st.none() | st.text('0123.', max_size=9))
    | _called(buffers)
    | st.integers(0, 5).map(lambda last: ((), {'ip': f'0.0.0.{last}'})),
    'ESI': _called(st.binary(min_size=9, max_size=11) | buffers | odd) | _called(esi=st.none() | octets),
    'EthernetTag': _called(integers | odd) | _called(tag=integers),
    'MAC': _called(
        st.none() | st.sampled_from(['00:11:22:aa:bb:cc', '00:11:22:AA:BB:CC', '1:2', '']) | st.text(max_size=5),
        packed=st.none() | buffers,
    ),
    'NextHop': _called(
        st.sampled_from(['10.0.0.1', '2001:db8::1', '2001:0db8:0::1', '2001:DB8::1', '::ffff:10.0.0.1', ''])
        | st.sampled_from([True, None, b'10.0.0.1'])
        | st.text(':.1', max_size=7),
        packed=st.none() | st.sampled_from([b'\x0a\0\0\1', b'\x20\1\x0d\xb8' + bytes(11) + b'\1']) | buffers | odd,
    )
    | st.ip_addresses().map(lambda address: ((str(address), address.packed), {}))
    | st.ip_addresses().map(lambda address: ((str(address),), {})),
}

# Two or more different values of each class, as (positional, keyword) arguments.
VALUES: dict[str, list[tuple[tuple[Any, ...], dict[str, Any]]]] = {
    'RouteDistinguisher': [((b'\0\0\0\1\0\0\0\1',), {}), ((b'\0\1\x0a\0\0\1\0\2',), {}), ((b'',), {})],
    'Labels': [
        (([100],), {}),
        (([100, 200],), {}),
        (([100],), {'bos': False}),
        (([],), {'raw_labels': [1601]}),
        (([7],), {'raw_labels': [1601]}),
        (([],), {}),
    ],
    'PathInfo': [((b'\0\0\0\1',), {}), ((), {'integer': 2}), ((), {'ip': '10.0.0.1'}), ((), {'integer': 0})],
    'ESI': [((None,), {}), ((bytes(range(10)),), {})],
    'EthernetTag': [((0,), {}), ((1000,), {})],
    'MAC': [(('00:11:22:aa:bb:cc',), {}), ((None, b'\0\1\2\3\4\5'), {}), (('00:11:22:AA:BB:CC',), {})],
    'NextHop': [
        (('192.0.2.1',), {}),
        (('192.0.2.1', b'\xc0\0\2\2'), {}),
        (('2001:db8::1', b'\x20\1\x0d\xb8' + bytes(11) + b'\1'), {}),
        (('2001:0db8:0::1',), {}),
        (('192.0.2.1', b''), {}),
    ],
}
if FROM_WIRE:
    ARGUMENTS = {name: _called(buffers | odd) | _called(packed=octets) for name in NAMES}
    for name, length in {'RouteDistinguisher': 8, 'Labels': 6, 'PathInfo': 4, 'ESI': 10, 'EthernetTag': 4}.items():
        ARGUMENTS[name] |= _called(st.binary(min_size=length, max_size=length) | st.just(bytes(length)))
    ARGUMENTS['MAC'] = _called(
        st.sampled_from(['00:11:22:aa:bb:cc', '00:11:22:AA:BB:CC', '1:2', '']) | st.text(max_size=5), packed=buffers
    )
    VALUES = {
        'RouteDistinguisher': VALUES['RouteDistinguisher'],
        'Labels': [((octets,), {}) for octets in (b'\0\x06\x41', b'\0\x06\x40\0\x0c\x81', b'\0\x06\x40', b'')],
        'PathInfo': [((octets,), {}) for octets in (b'\0\0\0\1', bytes(4), b'')],
        'ESI': [((octets,), {}) for octets in (bytes(10), bytes(range(10)))],
        'EthernetTag': [((octets,), {}) for octets in (bytes(4), b'\0\0\x03\xe8')],
        'MAC': [(('00:11:22:aa:bb:cc',), {}), (('', b'\0\1\2\3\4\5'), {}), (('00:11:22:AA:BB:CC',), {})],
    }
EACH_VALUE = [(name, arguments) for name, several in VALUES.items() for arguments in several]
