"""Immutable copies of ExaBGP's objects, for objects that many routes share.

The class of a frozen object derives from ExaBGP's class, and only adds that it refuses changes.  Objects that are made
from a frozen object have ExaBGP's own class, and can be changed: its copies, an unpickled object, and what its
`__class__` constructs.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Dict, NoReturn

from exabgp_intern import lines
from exabgp_intern.canonical import Shared, slots

__all__ = ('CONSTANT', 'Frozen', 'FrozenList', 'frozen', 'refused')

# Nobody can change these.  An AS number is an int.
CONSTANT = (int, float, str, bytes, type, type(None), Shared)


def frozen(value: Any) -> Any:
    """Return an immutable copy of one of ExaBGP's objects, or of a list.  What the copy holds is immutable too.

    Return `value` itself if it is frozen already, or constant.
    """
    cls = _classes[type(value)]
    if cls is None:
        return value
    if issubclass(cls, list):
        return cls([each if _classes[type(each)] is None else frozen(each) for each in value])
    made = object.__new__(cls)
    for name, each in lines.attributes(value).items():
        object.__setattr__(made, name, each if name.startswith('_') else frozen(each))
    return made


def refused(self: Any, *_: Any, **__: Any) -> NoReturn:
    raise TypeError('this object is shared by routes: change a copy of it')


class Frozen:
    """The base of the frozen classes.  Each derives from this class and from ExaBGP's, in that order."""

    __slots__ = ()

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """ExaBGP's class.  ExaBGP makes an empty segment of an AS path with `segment.__class__()`, for example."""
        return type(self).__bases__[1]

    def __setattr__(self, name: str, value: Any) -> None:
        # ExaBGP makes some texts when they are asked for, and keeps them under such names.
        if not name.startswith('_') or not isinstance(getattr(self, name, 0), (str, type(None))):
            raise AttributeError(f'this object is shared by routes: cannot set {name!r}')
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f'this object is shared by routes: cannot delete {name!r}')

    __deepcopy__ = None  # that of some classes of ExaBGP makes an object of the same class: a frozen one

    def __copy__(self) -> Any:
        return deepcopy(self)  # otherwise the copy would hold frozen objects

    def __reduce_ex__(self, protocol: Any) -> Any:
        make, arguments, *state = tuple(object.__reduce_ex__(self, 2))
        return (make, (self.__class__, *arguments[1:]), *state)


class FrozenList(Frozen):
    """The base of the frozen lists."""

    __slots__ = ()

    __setitem__ = __delitem__ = __iadd__ = __imul__ = append = clear = extend = refused
    insert = pop = remove = reverse = sort = refused

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__class__, (list(self),)  # type: ignore[call-overload]


class _Classes(Dict[type, Any]):
    """The frozen class for each class, None for a class whose instances stay as they are."""

    def __missing__(self, stock: type) -> Any:
        base: Any = FrozenList if issubclass(stock, list) else Frozen
        if issubclass(stock, (*CONSTANT, Frozen)) or not (base is FrozenList or stock.__module__.startswith('exabgp.')):
            self[stock] = None
        else:
            names: dict[str, Any] = {'__module__': stock.__module__, '__qualname__': stock.__qualname__}
            weak: Any = () if base is FrozenList else slots(stock)
            self[stock] = type(stock.__name__, (base, stock), {**names, '__slots__': weak})
        return self[stock]


_classes = _Classes()
