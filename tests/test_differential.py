"""Random sequences of construct, decode, copy, pickle and drop, on ExaBGP's class and ours side by side."""

from __future__ import annotations

import copy
import pickle
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from exabgp_intern.lines import attributes
from tests.support import (
    ARGUMENTS,
    FROM_WIRE,
    NAMES,
    NO_HOOKS,
    OURS,
    SLOTS,
    STOCK,
    call,
    copied,
    is_canonical,
    observed,
    outcome,
    typed,
)


class SideBySide(RuleBasedStateMachine):
    """Holds pairs: what ExaBGP's class made, and what ours made in the same way."""

    def __init__(self) -> None:
        super().__init__()
        # what other tests, or hypothesis in its reports, still hold: hold it too, so that it stays
        self.before = {name: [entry() for entry in OURS[name]._table.valuerefs()] for name in NAMES}
        self.pairs: list[tuple[str, Any, Any]] = []

    def one(self, data: Any) -> int:
        # a number: hypothesis would hold the objects that it draws
        return data.draw(st.integers(0, len(self.pairs) - 1))

    def add(self, name: str, stock: Any, ours: Any) -> None:
        if isinstance(stock, tuple) or stock is ours:
            assert ours == stock  # the same exception with the same text, or a sentinel
        else:
            assert observed(ours) == observed(stock)
            self.pairs.append((name, stock, ours))

    @rule(drawn=st.sampled_from(NAMES).flatmap(lambda name: st.tuples(st.just(name), ARGUMENTS[name])))
    def construct(self, drawn: Any) -> None:
        name, arguments = drawn
        self.add(name, *(outcome(lambda cls=cls: call(copied(arguments))(cls)) for cls in (STOCK[name], OURS[name])))

    @rule(
        name=st.sampled_from([name for name in NAMES if name != 'PathInfo']),
        packed=st.binary(max_size=11) | st.binary(min_size=16, max_size=16),
    )
    def decode(self, name: str, packed: bytes) -> None:
        self.add(
            name,
            *(outcome(lambda cls=cls: getattr(cls, OURS[name]._decoder)(packed)) for cls in (STOCK[name], OURS[name])),
        )

    @precondition(lambda self: self.pairs)
    @rule(data=st.data(), how=st.sampled_from([copy.copy, copy.deepcopy]))
    def copy(self, data: Any, how: Any) -> None:
        name, stock, ours = self.pairs[self.one(data)]
        again = how(ours)
        # as ExaBGP 5.0 has it, a copy of an empty route distinguisher is NORD
        nord = name == 'RouteDistinguisher' and ours == OURS[name].NORD and not FROM_WIRE and not NO_HOOKS
        assert again is (OURS[name].NORD if nord else ours) or not is_canonical(ours)
        self.add(name, outcome(lambda: how(stock)), again)

    @precondition(lambda self: self.pairs)
    @rule(data=st.data(), protocol=st.integers(2 if SLOTS or FROM_WIRE else 0, pickle.HIGHEST_PROTOCOL))
    def pickle(self, data: Any, protocol: int) -> None:
        name, stock, ours = self.pairs[self.one(data)]
        again = outcome(lambda: pickle.loads(pickle.dumps(ours, protocol)))
        assert again is ours or not is_canonical(ours)
        self.add(name, outcome(lambda: pickle.loads(pickle.dumps(stock, protocol))), again)

    @precondition(lambda self: self.pairs)
    @rule(data=st.data())
    def drop(self, data: Any) -> None:
        del self.pairs[self.one(data)]

    def teardown(self) -> None:
        self.pairs.clear()  # hypothesis keeps the last machine
        self.before.clear()

    @invariant()
    def same_value_same_object(self) -> None:
        for name in NAMES:
            values: dict[Any, Any] = {}
            for kind, stock, ours in self.pairs:
                if kind == name and is_canonical(ours):
                    value = tuple((attribute, typed(each)) for attribute, each in sorted(attributes(stock).items()))
                    assert values.setdefault(value, ours) is ours
            assert len({id(ours) for ours in values.values()}) == len(values)
            entries = [entry() for entry in OURS[name]._table.data.values()]
            assert {*map(id, entries)} == {*map(id, values.values())} | {*map(id, self.before[name])}
            assert len(entries) == len({*map(id, entries)})

    @invariant()
    def equal_as_exabgp_says(self) -> None:
        for name, stock, ours in self.pairs[-3:]:
            for kind, other_stock, other in self.pairs:
                if kind == name:
                    assert outcome(lambda: ours == other) == outcome(lambda: stock == other_stock)  # noqa: B023


TestSideBySide = SideBySide.TestCase
TestSideBySide.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
