"""`dataclasses`, but light to define: nothing is compiled when a module is imported.

The standard library writes and compiles the source of six methods for each class, half a
millisecond each: a third of the time of a short command. Here the methods are shared, and look at
a list of the fields. Type checkers see the standard library, and its `fields`, `replace`, `asdict`
and `is_dataclass` take these classes too.

Known is what this project uses: `frozen`, `order`, and fields with `default`, `default_factory`,
`repr` and `compare`. Source: "dataclasses — Data Classes" of the Python documentation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["asdict", "dataclass", "field", "fields", "replace"]

if TYPE_CHECKING:
    from dataclasses import asdict, dataclass, field, fields, replace
else:
    from operator import ge, gt, le, lt
    from reprlib import recursive_repr

    _MISSING = object()

    class _Field:
        """What is known of a field. make: its `default_factory`."""

        __slots__ = ("compare", "default", "make", "name", "repr")

        def __init__(self, default, make, shown, compare):
            self.name = ""
            self.default = default
            self.make = make
            self.repr = shown
            self.compare = compare

    def field(*, default=_MISSING, default_factory=None, repr=True, compare=True):
        """Describe a field."""
        return _Field(default, default_factory, repr, compare)

    def dataclass(cls=None, /, *, frozen=False, order=False):
        """Give a class an `__init__`, `__repr__`, `__eq__` and `__hash__` by its annotations."""
        return (lambda cls: _made(cls, frozen, order)) if cls is None else _made(cls, frozen, order)

    def _made(cls, frozen, order):
        known = {}
        for base in cls.__mro__[:0:-1]:
            known |= base.__dict__.get("_light_fields", {})
        for name, kind in cls.__annotations__.items():
            if not str(kind).startswith(("ClassVar", "typing.ClassVar")):
                known[name] = _described(cls, name)
        _check_order(cls, known)
        cls._light_fields = known
        cls.__match_args__ = tuple(known)
        cls.__init__ = _init_of(cls, known)
        compared = tuple(each.name for each in known.values() if each.compare)

        def __eq__(self, other):  # noqa: N807
            if other.__class__ is not self.__class__:
                return NotImplemented
            mine, others = self.__dict__, other.__dict__
            # As lists, since what is the same object is equal: not a number, too.
            return [mine[name] for name in compared] == [others[name] for name in compared]

        def __hash__(self):  # noqa: N807
            values = self.__dict__
            return hash(tuple([values[name] for name in compared]))

        def compare(operator):
            def compared_by(self, other):
                if other.__class__ is not self.__class__:
                    return NotImplemented
                mine, others = self.__dict__, other.__dict__
                return operator(
                    [mine[each] for each in compared], [others[each] for each in compared]
                )

            return compared_by

        given = {"__repr__": _repr, "__eq__": __eq__}
        if order:
            given |= {f"__{each.__name__}__": compare(each) for each in (lt, le, gt, ge)}
        if frozen:
            given |= {"__hash__": __hash__, "__setattr__": _refuse, "__delattr__": _refuse}
        for name, method in given.items():
            # A class that defines `__eq__` has `__hash__ = None` of Python's own.
            if name not in cls.__dict__ or (name == "__hash__" and cls.__hash__ is None):
                setattr(cls, name, method)
        if not frozen and "__hash__" not in cls.__dict__:
            cls.__hash__ = None
        cls.__dataclass_fields__ = _STANDARD_FIELDS
        cls.__signature__ = _Signature()
        return cls

    def _described(cls, name):
        found = cls.__dict__.get(name, _MISSING)
        if isinstance(found, _Field):
            if found.default is not _MISSING:
                setattr(cls, name, found.default)
            else:
                delattr(cls, name)
        else:
            found = _Field(found, None, True, True)
        found.name = name
        if type(found.default).__hash__ is None:
            raise ValueError(f"{cls.__name__}.{name}: use default_factory")
        return found

    def _check_order(cls, known):
        optional = False
        for each in known.values():
            required = each.default is _MISSING and each.make is None
            if required and optional:
                raise TypeError(f"{cls.__name__}.{each.name} without a default follows one with")
            optional = not required

    def _init_of(cls, known):
        names = tuple(known)
        allowed = frozenset(names)
        defaults = {k: each.default for k, each in known.items() if each.default is not _MISSING}
        makers = tuple((k, each.make) for k, each in known.items() if each.make is not None)
        required = frozenset(names) - defaults.keys() - {name for name, _ in makers}
        post = hasattr(cls, "__post_init__")

        def __init__(self, /, *args, **given):  # noqa: N807
            if args:
                positional = dict(zip(names, args))  # noqa: B905
                if len(args) > len(names) or not positional.keys().isdisjoint(given):
                    raise TypeError(f"{type(self).__name__}: too many arguments")
                given = positional | given
            if not required <= given.keys() <= allowed:
                wrong = sorted((required - given.keys()) | (given.keys() - allowed))
                raise TypeError(f"{type(self).__name__}: missing or unknown: {', '.join(wrong)}")
            values = self.__dict__
            values.update(defaults)
            values.update(given)
            for name, make in makers:
                if name not in given:
                    values[name] = make()
            if post:
                self.__post_init__()

        return __init__

    @recursive_repr()
    def _repr(self):
        shown = [
            f"{each.name}={getattr(self, each.name)!r}"
            for each in self._light_fields.values()
            if each.repr
        ]
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def _refuse(self, name, *value):
        raise AttributeError(f"{type(self).__name__} is frozen: `{name}` stays as it is")

    class _Standard:
        """What the standard library looks for on a class, made when it does."""

        def __init__(self, make):
            self._make = make

        def __get__(self, instance, cls):
            return self._make(cls)

    class _Signature:
        """How a class is called; an instance that can be called is so by its `__call__`."""

        def __get__(self, instance, cls):
            if instance is not None:
                raise AttributeError("__signature__")
            return _signature(cls)

    def _standard_fields(cls):
        import dataclasses

        found = {}
        for name, each in cls._light_fields.items():
            given = {} if each.default is _MISSING else {"default": each.default}
            if each.make is not None:
                given = {"default_factory": each.make}
            found[name] = dataclasses.field(**given, repr=each.repr, compare=each.compare)
            found[name].name = name
            found[name]._field_type = dataclasses._FIELD
            found[name].type = next(
                base.__annotations__[name]
                for base in cls.__mro__[:-1]
                if name in base.__annotations__
            )
        return found

    def _signature(cls):
        import inspect

        parameters = []
        for name, each in cls._light_fields.items():
            default = inspect.Parameter.empty
            if each.default is not _MISSING or each.make is not None:
                default = each.default if each.make is None else each.make
            kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
            parameters.append(inspect.Parameter(name, kind, default=default))
        return inspect.Signature(parameters)

    _STANDARD_FIELDS = _Standard(_standard_fields)

    def fields(of):
        """Return the fields of a class or of one of its instances; each has a `name`."""
        return tuple(of._light_fields.values())

    def replace(of, /, **changes):
        """Return the same with other values in some fields."""
        values = of.__dict__
        return type(of)(**{name: values[name] for name in of._light_fields} | changes)

    def asdict(of):
        """Return the values by name, those inside them too."""
        import dataclasses

        return dataclasses.asdict(of)
