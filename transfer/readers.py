"""For each field the reading of its cells, made once for a file from the registry and the organization's facts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from domain.fields import FIELDS, STATUS_FIELDS, LeadField
from domain.ids import IdKind, new_id
from domain.imports import Dialect, ImportOptions
from domain.lead_values import name_key
from domain.vocabulary import DateOrder, FieldType, ImportFormat, ImportIssueCode, LeadFieldKey
from transfer.cells import Flaw, Read, Reading
from transfer.messages import OrganizationFacts
from transfer.validate_choices import enum_reader, id_reader, name_reader, status_reader, users_by_name
from transfer.validate_contacts import PhoneReading, PhoneRules, email_reader
from transfer.validate_dates import instant_reader
from transfer.validate_lists import list_reader
from transfer.validate_numbers import boolean_reader, decimal_reader, integer_reader

_K = LeadFieldKey
_LONGEST_NAME: Final = FIELDS[_K.COMPANY_NAME].max_length or 0
_LIKE_CSV: Final = frozenset({ImportFormat.CSV, ImportFormat.XLSX})
"""A CSV file of ours that was saved as a workbook keeps the apostrophes before its phones."""


@dataclass(slots=True)
class Companies:
    """Companies by name key; one that is not known gets an id at once, and is created with the first row that stays."""

    known: dict[str, str]
    minted: dict[str, str] = field(default_factory=dict[str, str])
    """Names as first written, by the ids made here."""

    def read(self, name: str) -> Read:
        """The company's UUID."""
        if len(name) > _LONGEST_NAME:
            message = f"company name is longer than {_LONGEST_NAME} characters"
            return Flaw(code=ImportIssueCode.TOO_LONG, message=message)
        key = name_key(name)
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = str(new_id())
            self.minted[found] = name
        return found


@dataclass(slots=True, kw_only=True)
class Readers:
    """Readings by field. Free texts have none: they are read as whole columns."""

    options: ImportOptions
    dialect: Dialect
    facts: OrganizationFacts
    companies: Companies

    @property
    def guarded(self) -> bool:
        """Whether texts may bear the apostrophe of our formula guard: no other format of ours has one."""
        return self.dialect.format is ImportFormat.CSV

    def phones(self) -> PhoneReading:
        """The reading of phone cells."""
        country = self.options.default_country or self.facts.country
        guarded = self.dialect.format in _LIKE_CSV
        return PhoneReading(PhoneRules(country=country, strict=_K.PHONE in self.options.must_be_valid, guarded=guarded))

    def values(self, key: LeadFieldKey) -> Reading | None:
        """The reading of a typed field's cells, None for free texts and phones."""
        read = self._reader(FIELDS[key])
        return None if read is None else Reading(read, guarded=self.guarded)

    def _reader(self, lead_field: LeadField) -> Callable[[str], Read] | None:
        mark = self.dialect.decimal_mark.value
        match lead_field.type:
            case FieldType.TEXT | FieldType.LONG_TEXT | FieldType.PHONE:
                return self._reference(lead_field)
            case FieldType.INTEGER:
                return integer_reader(lead_field, mark)
            case FieldType.DECIMAL:
                return decimal_reader(lead_field, mark)
            case FieldType.BOOLEAN:
                return boolean_reader(lead_field)
            case FieldType.LIST:
                return list_reader(lead_field, self._added(lead_field))
            case FieldType.EMAIL:
                return email_reader(strict=_K.EMAIL in self.options.must_be_valid)
            case _:
                return self._choice(lead_field)

    def _choice(self, lead_field: LeadField) -> Callable[[str], Read] | None:
        if lead_field.type is FieldType.DATETIME:
            return self._instants(lead_field)
        if lead_field.type is FieldType.ID:
            return self._ids(lead_field)
        if lead_field.key in STATUS_FIELDS:
            return status_reader(lead_field, self.facts.statuses, self.facts.retired_statuses)
        return None if lead_field.enum is None else enum_reader(lead_field, lead_field.enum)

    def _added(self, lead_field: LeadField) -> tuple[str, ...]:
        return self.options.add_tags if lead_field.key is _K.TAGS else ()

    def _instants(self, lead_field: LeadField) -> Callable[[str], Read]:
        order = DateOrder(self.dialect.date_order.value)
        serials = self.dialect.format is ImportFormat.XLSX
        return instant_reader(lead_field, order, ZoneInfo(self.dialect.time_zone), serials=serials)

    def _ids(self, lead_field: LeadField) -> Callable[[str], Read]:
        match lead_field.key:
            case _K.COMPANY_ID:
                return id_reader(lead_field, IdKind.COMPANY, self.facts.companies.values())
            case _K.CHATBOT_ID:
                return id_reader(lead_field, IdKind.CHATBOT, self.facts.chatbots.values())
            case _:
                return id_reader(lead_field, IdKind.LEAD, None)

    def _reference(self, lead_field: LeadField) -> Callable[[str], Read] | None:
        strict = lead_field.key in self.options.must_be_valid
        match lead_field.key:
            case _K.COMPANY_NAME:
                return self.companies.read
            case _K.CHATBOT_NAME:
                chatbots = {name_key(name): chatbot for name, chatbot in self.facts.chatbots.items()}
                return name_reader("chatbot", chatbots, self.facts.chatbots, strict=strict)
            case _K.ASSIGNEE:
                names = [user.name for user in self.facts.users]
                return name_reader("user", users_by_name(self.facts.users), names, strict=strict)
            case _:
                return None
