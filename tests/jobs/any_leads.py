"""Leads of any values, as hypothesis draws them: every type of field, and the texts that files break on."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from domain.documents import FieldInput, LeadDocument
from domain.fields import FIELDS, LeadField
from domain.vocabulary import FieldType, LeadFieldKey

_K = LeadFieldKey
NASTY = (
    *("=1+1", "+33612345678", "-5", "@SUM(A1)", "'", "''=x", '"', '""', ";", ",", ";;", "a;b", "x, y", "\t", "\n"),
    *("\r\n", "\r", " ", "  ", "\\", "\\N", "\\t", "***", "***123", "|", "{}", "{", "}", "[", "null", "NULL", "yes"),
    *("1e5", "3.36E+10", "007", "0", "2024-01-15", "דנה לוי", "אבג \u200f", "😀\u200d👧", "é", "e\u0301", "ﬁ", "＝1"),
    *("\u2028", "\u00a0", "\u200b", "\ufeff", "%", "_", "#", "sep=;", "<b>", "$1", "¤", "\U0001f9d1\U0001f3fd"),
)
CHARACTERS = st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co"))
TEXTS = st.lists(st.one_of(st.sampled_from(NASTY), st.text(CHARACTERS, max_size=8)), min_size=1, max_size=6).map(
    "".join
)
PHONES = st.one_of(
    st.integers(2_000_000, 9_999_999).map("+1212{}".format),
    st.just("pager"),
    TEXTS.map(lambda text: text.replace("'", "")[:60]),
)
EMAILS = st.one_of(st.just("Dana.Levi+x@Example.co.il"), st.just("זהב@example.com"), TEXTS)
INSTANTS = st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive
APART = {
    _K.LEAD_ID,
    _K.VERSION,
    _K.STATUS_ID,
    _K.STATUS_NAME,
    _K.COMPANY_ID,
    _K.CHATBOT_ID,
    _K.CHATBOT_NAME,
    _K.ASSIGNEE,
}
"""Ids, and other names of what a drawn field writes too."""
DRAWN = tuple(field for key, field in FIELDS.items() if field.importable and field.exportable and key not in APART)


def values_of(field: LeadField) -> st.SearchStrategy[FieldInput]:
    match field.type:
        case FieldType.INTEGER:
            return st.integers(field.minimum or 0, min(field.maximum or 10**9, 10**9))
        case FieldType.DECIMAL:
            return st.decimals(-(10**9), 10**9, places=2, allow_nan=False)
        case FieldType.BOOLEAN:
            return st.booleans()
        case FieldType.DATETIME:
            return INSTANTS
        case FieldType.LIST:
            return st.lists(TEXTS, max_size=5).map(tuple)
        case FieldType.ENUM if field.enum is not None:
            return st.sampled_from(list(field.enum))
        case _ if field.key is _K.NATIONAL_ID:  # a file shows no line breaks in one
            return TEXTS.map(lambda text: " ".join(text.split())[: field.max_length])
        case _ if field.key is _K.STATUS:
            return st.sampled_from(["new", "contacted", "lost", "won"])
        case _:
            longest = field.max_length or 200
            return TEXTS.map(lambda text: text[:longest])


def any_lead() -> st.SearchStrategy[LeadDocument]:
    given = st.fixed_dictionaries(
        {_K.NAME: TEXTS},
        optional={_K.PHONE: PHONES, _K.EMAIL: EMAILS} | {f.key: values_of(f) for f in DRAWN if f.key is not _K.NAME},
    )
    custom = st.dictionaries(st.sampled_from(["note", "Plan B", "ערוץ"]), TEXTS, max_size=3)
    return st.builds(lambda values, own: LeadDocument(values=values, custom=own), given, custom)
