"""Hooks: functions of ExaBGP that this package replaces by its own."""

from __future__ import annotations

from typing import Any, Callable, Tuple

__all__ = ('Hook', 'Hooks')


class Hook:
    """One function of ExaBGP's: `owner.name`, where `owner` is a class or a module.

    `make(stock)` returns the function that stands for ExaBGP's `stock`, and may call that.
    """

    def __init__(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        self._owner, self._name, self._make = owner, name, make
        self._ours: Any = None

    def found(self) -> Any:
        """Return the function that is there now."""
        found = vars(self._owner)[self._name]
        return getattr(found, '__func__', found)

    def install(self) -> None:
        """Install our function, unless it is there already, by itself or inside somebody's wrapper."""
        if self._ours and self._ours._stock is not vars(self._owner)[self._name]:
            return
        self.uninstall()  # that of an earlier import of this package
        stock = vars(self._owner)[self._name]
        self._ours = self._make(getattr(stock, '__func__', stock))
        self._ours._stock = stock
        setattr(self._owner, self._name, classmethod(self._ours) if isinstance(stock, classmethod) else self._ours)

    def uninstall(self) -> None:
        """Put ExaBGP's function back, unless somebody has wrapped ours."""
        ours = vars(self.found())
        if ours.keys() == {'_stock'}:  # functools.wraps gives a wrapper of ours more than this
            setattr(self._owner, self._name, ours['_stock'])
            self._ours = None

    def installed(self) -> bool:
        """Return whether our function is there, and nobody's wrapper."""
        return self._ours is not None and self.found() is self._ours


class Hooks(Tuple[Hook, ...]):
    """Hooks that are installed together."""

    __slots__ = ()

    def install(self) -> None:
        for hook in self:
            hook.install()

    def uninstall(self) -> None:
        for hook in self:
            hook.uninstall()

    def installed(self) -> bool:
        """Return whether all of them are."""
        return all(hook.installed() for hook in self)
