"""Inputs that are made without strawberry's look at each value must have nothing that it would have to convert."""

import importlib
import inspect
import pkgutil

import pytest
from strawberry.types.base import StrawberryOptional, get_object_definition
from strawberry.types.enum import StrawberryEnumDefinition

import schema


def flat_inputs() -> list[type]:
    modules = [importlib.import_module(f"schema.{module.name}") for module in pkgutil.iter_modules(schema.__path__)]
    classes = {cls for module in modules for _, cls in inspect.getmembers(module, inspect.isclass)}
    found = [cls for cls in classes if (known := get_object_definition(cls)) and known.from_input]
    return sorted(found, key=lambda cls: cls.__name__)


@pytest.mark.parametrize("cls", flat_inputs(), ids=lambda cls: cls.__name__)
def test_a_flat_input_holds_leaves_alone(cls: type):
    for field in get_object_definition(cls, strict=True).fields:
        kind = field.type
        while isinstance(kind, StrawberryOptional):
            kind = kind.of_type
        assert kind in {str, int, bool} or isinstance(kind, StrawberryEnumDefinition), field.name


def test_columns_of_exports_are_flat():
    assert [cls.__name__ for cls in flat_inputs()] == ["ExportColumnInput"]
