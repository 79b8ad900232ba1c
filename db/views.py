"""The views of schema app, which is all that the server's role may read: each has the columns of its table."""

from typing import Final

from sqlalchemy import Column, MetaData, Table

from db import tables

__all__ = [
    "APP",
    "activity",
    "chatbots",
    "companies",
    "custom_fields",
    "jobs",
    "lead_deletions",
    "leads",
    "notes",
    "statuses",
    "users",
]

APP: Final = "app"
_views = MetaData()


def _view(table: Table) -> Table:
    return Table(table.name, _views, *(Column(column.name, column.type) for column in table.columns), schema=APP)


statuses = _view(tables.statuses)
companies = _view(tables.companies)
chatbots = _view(tables.chatbots)
users = _view(tables.users)
custom_fields = _view(tables.custom_fields)
jobs = _view(tables.jobs)
notes = _view(tables.notes)
leads = _view(tables.leads)
lead_deletions = _view(tables.lead_deletions)
activity = _view(tables.activity)
