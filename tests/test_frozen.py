"""Objects made many at a time are those that are made one by one."""

from __future__ import annotations

import dataclasses
import pickle

import pytest

from sipanalyzer.frozen import make_all, opened
from sipanalyzer.result import Call, Dialog, Stream, Transaction
from sipanalyzer.rtp.figures import Figures


@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int
    name: str = "p"


def test_nothing_tells_them_from_objects_made_one_by_one() -> None:
    made = make_all(Point, {"y": [3, 4], "x": [1, 2]})
    assert made == [Point(1, 3), Point(2, 4)]
    assert [type(each) for each in made] == [Point, Point]
    assert hash(made[0]) == hash(Point(1, 3)) and repr(made[0]) == repr(Point(1, 3))
    assert pickle.loads(pickle.dumps(made)) == made
    assert dataclasses.replace(made[0], x=7) == Point(7, 3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made[0].x = 5  # type: ignore[misc]


@pytest.mark.parametrize("kind", [Call, Dialog, Transaction])
def test_the_kinds_that_calls_are_made_of_can_be_made_so(kind: type) -> None:
    fields = [field for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING]
    columns = {field.name: [number] for number, field in enumerate(fields)}
    assert make_all(kind, columns) == [kind(*range(len(fields)))]


def test_columns_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\['name', 'y'\]"):
        make_all(Point, {"x": [1], "name": ["q"]})
    with pytest.raises(ValueError, match="length"):
        make_all(Point, {"x": [1], "y": [1, 2]})
    with pytest.raises(TypeError):
        make_all(Point, {"x": [1]})
    assert make_all(Point, {"x": [], "y": []}) == []


@pytest.mark.parametrize("kind", [Figures, Stream])
def test_classes_with_a_base_and_named_fields_can_be_made_so(kind: type) -> None:
    given = {field.name: number for number, field in enumerate(dataclasses.fields(kind))}
    made = opened(kind)(**given)
    assert made == kind(**given) and type(made) is kind
    assert pickle.loads(pickle.dumps(made)) == made
    needed = {field.name: 1 for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING}
    assert opened(kind)(**needed) == kind(**needed)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.packets = 5
    with pytest.raises(TypeError):
        opened(kind)(1)


def test_a_class_that_does_more_than_keep_is_refused() -> None:
    made = dataclasses.make_dataclass("Made", [("x", list, dataclasses.field(default_factory=list))], frozen=True)
    with pytest.raises(TypeError, match="Made"):
        opened(made)
