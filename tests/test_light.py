"""`amlkit.light` does what `dataclasses` does with the same class, and compiles nothing."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
from functools import cached_property
from typing import ClassVar, Generic, TypeVar

import pytest

from amlkit import light, records

T = TypeVar("T")
WAYS = [dataclasses, light]


def classes(way):
    """The same classes, made by `dataclasses` or by `light`."""

    @way.dataclass(frozen=True)
    class Point(Generic[T]):
        kinds: ClassVar[list[str]] = ["a"]
        x: T
        y: int = 2
        tags: dict[str, str] = way.field(default_factory=dict)
        secret: str | None = way.field(default=None, repr=False)
        note: str = way.field(default="", compare=False)

        @cached_property
        def double(self) -> int:
            return self.y * 2

    @way.dataclass(frozen=True)
    class Named(Point[int]):
        name: str = "n"

        def __repr__(self) -> str:
            return f"<{self.name}>"

    @way.dataclass
    class Counter:
        count: int = 0
        seen: list[int] = way.field(default_factory=list)

        def __post_init__(self) -> None:
            self.count += 1

    @way.dataclass(frozen=True, order=True)
    class Version:
        major: int
        minor: int = 0

    return Point, Named, Counter, Version


@pytest.mark.parametrize("way", WAYS)
def test_fields_come_by_place_by_name_or_from_their_defaults(way):
    Point, Named, Counter, _ = classes(way)
    point = Point(1, tags={"a": "b"})
    assert (point.x, point.y, point.tags, point.secret, point.kinds) == (
        1,
        2,
        {"a": "b"},
        None,
        ["a"],
    )
    assert Point(1).tags is not Point(1).tags
    assert (Named(1, 5).y, Named(1, name="m").name, Point.y, Counter().count) == (5, "m", 2, 1)
    assert not hasattr(Point, "tags")
    for wrong in (
        Point,
        lambda: Point(1, x=2),
        lambda: Point(1, z=2),
        lambda: Point(1, 2, {}, "", "", "one more"),
    ):
        with pytest.raises(TypeError):
            wrong()


@pytest.mark.parametrize("way", WAYS)
def test_equal_fields_make_equal_objects_with_equal_hashes(way):
    Point, Named, Counter, Version = classes(way)
    tags: dict[str, str] = {}
    assert Point(1, note="a") == Point(1, note="b")
    assert Point(1) != Point(2)
    assert Point(1) != Named(1)
    assert Point(1) != (1, 2, {}, None)
    assert Version(1) in {Version(1, 0)}
    assert hash(Version(1, 2)) == hash((1, 2))
    assert sorted([Version(2), Version(1, 3), Version(1)]) == [
        Version(1),
        Version(1, 3),
        Version(2),
    ]
    assert Version(1) <= Version(1) < Version(2) >= Version(1)
    assert Counter(1) == Counter(1)
    for unhashable in (Counter(), Point(1, tags=tags)):
        with pytest.raises(TypeError):
            hash(unhashable)
    with pytest.raises(TypeError):
        _ = Version(1) < 2


@pytest.mark.parametrize("way", WAYS)
def test_what_has_no_number_equals_itself(way):
    @way.dataclass(frozen=True)
    class Metric:
        value: float

    metric = Metric(float("nan"))
    assert metric == metric
    assert copy.copy(metric) != Metric(1.0)


@pytest.mark.parametrize("way", WAYS)
def test_what_can_be_called_is_called_by_its_own_signature(way):
    @way.dataclass
    class Step:
        name: str

        def __call__(self, *, epochs: int) -> None: ...

    assert list(inspect.signature(Step("a")).parameters) == ["epochs"]
    assert list(inspect.signature(Step).parameters) == ["name"]


@pytest.mark.parametrize("way", WAYS)
def test_what_is_frozen_stays_as_it_is(way):
    Point, _, Counter, _ = classes(way)
    point = Point(1)
    with pytest.raises(AttributeError):
        point.x = 2
    with pytest.raises(AttributeError):
        del point.x
    assert point.double == 4
    counter = Counter()
    counter.count = 9
    assert counter.count == 9


@pytest.mark.parametrize("way", WAYS)
def test_secrets_are_not_shown(way):
    Point, Named, _, Version = classes(way)
    assert "hidden" not in repr(Point(1, secret="hidden"))
    assert repr(Point(1, 3)).endswith("Point(x=1, y=3, tags={}, note='')")
    assert repr(Named(1)) == "<n>"
    assert repr(Version(1)).endswith("Version(major=1, minor=0)")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("by", WAYS)
def test_either_library_replaces_lists_and_unfolds_the_classes_of_the_other(way, by):
    Point, Named, Counter, _ = classes(way)
    if by is light and way is dataclasses:
        pytest.skip("amlkit.light knows its own classes")
    changed = by.replace(Named(1, tags={"a": "b"}), y=7)
    assert (type(changed), changed.x, changed.y, changed.tags) == (Named, 1, 7, {"a": "b"})
    assert [each.name for each in by.fields(Point)] == ["x", "y", "tags", "secret", "note"]
    assert by.asdict(Counter(1, [Counter(2)]))["seen"] == [{"count": 3, "seen": []}]
    assert dataclasses.is_dataclass(Point)
    with pytest.raises(TypeError):
        by.replace(Named(1), z=1)


def test_a_signature_tells_the_fields():
    for here, there in zip(*(classes(way) for way in WAYS), strict=True):
        ours, theirs = (inspect.signature(each).parameters for each in (here, there))
        assert [(each.name, each.kind) for each in ours.values()] == [
            (each.name, each.kind) for each in theirs.values()
        ]


@pytest.mark.parametrize("way", WAYS)
def test_copies_are_equal(way):
    _, _, Counter, Version = classes(way)
    assert copy.deepcopy(Counter(1, [2])) == Counter(1, [2])
    assert copy.copy(Version(1)) == Version(1)
    match Version(3, 4):
        case Version(major, minor):
            assert (major, minor) == (3, 4)


def test_records_can_be_pickled():
    file = records.StoredFile("a", 1, None)
    assert pickle.loads(pickle.dumps(file)) == file


@pytest.mark.parametrize("way", WAYS)
def test_a_shared_default_or_a_gap_is_refused_where_the_class_is_made(way):
    with pytest.raises(ValueError, match="default_factory"):

        @way.dataclass
        class Shared:
            values: list[int] = []  # noqa: RUF012

    with pytest.raises(TypeError):

        @way.dataclass
        class Gap:
            a: int = 1
            b: int


def test_listing_data_compiles_no_class(tmp_path):
    script = (
        "import dataclasses, os\n"
        f"os.environ['AMLKIT_HOME'] = {str(tmp_path)!r}\n"
        "made = []\n"
        "process = dataclasses._process_class\n"
        "dataclasses._process_class = lambda cls, *a, **k: made.append(cls) or process(cls, *a, **k)\n"
        "from amlkit.cli import run\n"
        "assert run(['data', 'list', '-o', 'name']) == 0\n"
        "print([each for each in made if each.__module__.startswith('amlkit')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
