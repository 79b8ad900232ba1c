"""Expressions whose Python type does not matter: SQLAlchemy's generics are invariant, so this is said in one place."""

from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, CompoundSelect, Select
from sqlalchemy.types import TypeEngine

__all__ = ["Compound", "Expression", "Query", "SqlType", "Truth"]

Expression: TypeAlias = ColumnElement[Any]
Truth: TypeAlias = ColumnElement[bool]
SqlType: TypeAlias = TypeEngine[Any]
Query: TypeAlias = Select[Any]
Compound: TypeAlias = CompoundSelect[Any]
