"""Where the value of each registry key comes from: an expression over a lead and the rows that it refers to."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import DateTime, FromClause, Text, case, func, literal_column, null, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from db import views
from db.expressions import Expression, Truth
from domain.vocabulary import LeadFieldKey

__all__ = ["EXPRESSIONS", "JOINS", "Join", "LeadRow", "Source", "joined", "lead_row", "of", "own", "with_joins"]

_K = LeadFieldKey
_RESERVED: Final = literal_column("'[^A-Za-z0-9._~-]'", Text())
"""All that RFC 3986 does not call unreserved."""


class Join(StrEnum):
    """The rows that a lead refers to, one of each at most."""

    STATUS = "status"
    COMPANY = "company"
    CHATBOT = "chatbot"
    ASSIGNEE = "assignee"
    CHATBOT_COMPANY = "chatbot_company"


@dataclass(frozen=True, slots=True)
class LeadRow:
    """The FROM clauses that expressions read: the view of leads or a subquery over it, and its joins."""

    lead: FromClause
    status: FromClause
    company: FromClause
    chatbot: FromClause
    assignee: FromClause
    chatbot_company: FromClause


def lead_row(lead: FromClause = views.leads) -> LeadRow:
    """A lead with fresh aliases of what it refers to."""
    return LeadRow(
        lead,
        views.statuses.alias("status"),
        views.companies.alias("company"),
        views.chatbots.alias("chatbot"),
        views.users.alias("assignee"),
        views.companies.alias("chatbot_company"),
    )


Source = Callable[[LeadRow], Expression]


def own(name: str) -> Source:
    """A column of the lead itself."""
    return lambda row: row.lead.c[name]


def of(join: Join, name: str) -> Source:
    """A column of a row that the lead refers to."""
    return lambda row: joined(row, join).c[name]


def _notes(row: LeadRow) -> Expression:
    """Every note in the order they were written, one below the other."""
    line_break = literal_column("E'\\n'", Text())
    texts = func.string_agg(
        views.notes.c.text, aggregate_order_by(line_break, views.notes.c.created_at, views.notes.c.id)
    )
    return select(texts).where(views.notes.c.lead_id == row.lead.c.id).scalar_subquery()


def _address(row: LeadRow) -> Expression:
    """The parts that are known, on one line."""
    lead = row.lead.c
    empty, space, comma = (literal_column(text, Text()) for text in ("''", "' '", "', '"))
    city = func.nullif(func.concat_ws(space, lead.address_postal_code, lead.address_city), empty)
    line = func.concat_ws(comma, lead.address_street, city, lead.address_region, lead.address_country)
    return func.nullif(line, empty)


def _part_of_link(row: LeadRow) -> Expression:
    """The conversation's id as a link may hold it: percent-encoded (RFC 3986), which nearly every id is already."""
    plain = row.lead.c.conversation_id
    return case((plain.bool_op("~")(_RESERVED), _percent_encoded(plain)), else_=plain)


def _percent_encoded(text: Expression) -> Expression:
    empty, utf8, hexadecimal, every = (literal_column(f"'{word}'", Text()) for word in ("", "UTF8", "hex", "g"))
    split = func.regexp_split_to_table(text, empty).table_valued("letter", with_ordinality="place", name="split")
    letters = split.render_derived(name="letters")
    letter, place = letters.c.letter, letters.c.place
    digits = func.upper(func.encode(func.convert_to(letter, utf8), hexadecimal))
    octet, escaped = literal_column("'(..)'", Text()), literal_column(r"'%\1'", Text())
    encoded = case((letter.bool_op("~")(_RESERVED), func.regexp_replace(digits, octet, escaped, every)), else_=letter)
    return select(func.string_agg(encoded, aggregate_order_by(empty, place))).select_from(letters).scalar_subquery()


_RENAMED: Final[Mapping[LeadFieldKey, Source]] = {
    _K.LEAD_ID: own("id"),
    _K.NATIONAL_ID: own("national_id_cipher"),
    _K.ADDRESS: _address,
    _K.NOTES: _notes,
    _K.STATUS: of(Join.STATUS, "key"),
    _K.STATUS_ID: of(Join.STATUS, "key"),
    _K.STATUS_NAME: of(Join.STATUS, "label"),
    _K.CONVERSATION_URL: _part_of_link,
    _K.COMPANY_NAME: of(Join.COMPANY, "name"),
    _K.CHATBOT_NAME: of(Join.CHATBOT, "name"),
    _K.ASSIGNEE: of(Join.ASSIGNEE, "name"),
    _K.ANNONCE_ID: own("property_id"),
    _K.DELETED_AT: lambda _: null().cast(DateTime(timezone=True)),
}

EXPRESSIONS: Final[Mapping[LeadFieldKey, Source]] = {
    key: _RENAMED[key] if key in _RENAMED else own(key.value) for key in LeadFieldKey
}
"""Raw typed values: NATIONAL_ID is the sealed text, CONVERSATION_URL what the organization's template takes."""

JOINS: Final[Mapping[LeadFieldKey, Join]] = {
    _K.STATUS: Join.STATUS,
    _K.STATUS_ID: Join.STATUS,
    _K.STATUS_NAME: Join.STATUS,
    _K.COMPANY_NAME: Join.COMPANY,
    _K.CHATBOT_NAME: Join.CHATBOT,
    _K.ASSIGNEE: Join.ASSIGNEE,
}
"""The join without which an expression has no row to read."""


def joined(row: LeadRow, join: Join) -> FromClause:
    """The rows of a join."""
    return getattr(row, join)


def with_joins(row: LeadRow, joins: Iterable[Join]) -> FromClause:
    """The lead with these rows beside it, null where it refers to none."""
    source = row.lead
    for join in joins:
        source = source.outerjoin(joined(row, join), _condition(row, join))
    return source


def _condition(row: LeadRow, join: Join) -> Truth:
    """What ties the joined row to the lead; a chatbot's company to the chatbot, which must be joined before."""
    if join is Join.CHATBOT_COMPANY:
        return row.chatbot_company.c.id == row.chatbot.c.company_id
    return joined(row, join).c.id == row.lead.c[f"{join}_id"]
