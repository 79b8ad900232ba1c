import dataclasses
import importlib
import pkgutil
import typing

import pytest
from strawberry.types.base import get_object_definition

import schema
from schema.nodes import Mirror

for module in pkgutil.iter_modules(schema.__path__):
    importlib.import_module(f"schema.{module.name}")


def record_of(shape: type) -> type:
    (base,) = (base for base in shape.__orig_bases__ if typing.get_origin(base) is Mirror)
    return typing.get_args(base)[0]


def names_of(record: type) -> set[str]:
    properties = {name for name, value in vars(record).items() if isinstance(value, property)}
    return properties | {field.name for field in dataclasses.fields(record)}


@pytest.mark.parametrize("shape", Mirror.__subclasses__(), ids=lambda shape: shape.__name__)
def test_a_mirror_finds_each_of_its_fields_in_the_record_that_it_shows(shape: type):
    wanted = {field.python_name for field in get_object_definition(shape, strict=True).fields}
    assert wanted - names_of(record_of(shape)) == set()


def test_a_mirror_serves_the_record_itself():
    shape = next(iter(Mirror.__subclasses__()))
    record = object()
    assert shape.of(record) is record
