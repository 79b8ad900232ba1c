"""Invented leads for sample exports: realistic in form, of no real person, and made to satisfy a filter."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from domain.ids import new_id
from domain.json import JsonValue
from domain.lead_values import contact_values, search_text, search_values
from domain.vocabulary import Confidence, InterestLevel, LeadCategory, LeadSource

Row = dict[str, JsonValue]

_FIRST: Final = ("Ada", "Noa", "Liam", "Mira", "Omar", "Zoé", "Ravi", "Yael", "Iris", "Tomás", "אורי", "דנה", "आरव")
_LAST: Final = ("Sample", "Muster", "Exemple", "Ejemplo", "Demo", "Probe", "Placeholder", "לדוגמה", "नमूना")
_PLACES: Final = (("Springfield", "US"), ("Beispielstadt", "DE"), ("Villeneuve", "FR"), ("Ramat Dugma", "IL"))
_PHONES: Final = ("+1202555{:04d}", "+44770090{:04d}", "+3319900{:04d}", "+4930230{:05d}")
"""Ranges that are kept free for invented numbers."""
_LANGUAGES: Final = ("en", "he", "hi_transliterated", "fr", "es", "de")
_POLICIES: Final = ("health", "life", "car", "home", "travel")
_TAGS: Final = ("vip", "renewal", "newsletter", "q4", "callback")
_REASONS: Final = ("gave a phone number", "asked for a price", "answered every question")
_SUMMARY: Final = "{name} asked about a {policy} policy and would like a call back in the {time}."
_TIMES: Final = ("morning", "afternoon", "evening")
_CAMPAIGNS: Final = ("Google Ads", "Newsletter", "Fair", "Partner page")


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """What invented leads may refer to: (id, key, stage) of statuses, (id, company) of chatbots, other ids."""

    statuses: Sequence[tuple[UUID, str, str]]
    companies: Sequence[UUID] = ()
    chatbots: Sequence[tuple[UUID, UUID | None]] = ()
    users: Sequence[UUID] = ()


def invent(rng: random.Random, now: datetime, references: References) -> Row:
    """A lead as columns of `leads`, JSON values, without what follows from others."""
    city, country = rng.choice(_PLACES)
    name = f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"
    policy, time = rng.choice(_POLICIES), rng.choice(_TIMES)
    created = now - timedelta(minutes=rng.randrange(1, 60 * 24 * 90))
    row: Row = {
        "id": str(new_id()),
        "version": 1,
        "external_id": f"SAMPLE-{rng.randrange(10**6):06d}",
        "name": name,
        "phone": rng.choice(_PHONES).format(rng.randrange(100, 200)),
        "email": f"lead{rng.randrange(10**6)}@example.com",
        "national_id_last4": f"{rng.randrange(10**4):04d}",
        "national_id_cipher": "sample",
        "address_street": f"{rng.randrange(1, 99)} Sample Street",
        "address_city": city,
        "address_country": country,
        "policy_of_interest": policy,
        "preferred_contact_time": time,
        "lead_source": rng.choice(_CAMPAIGNS),
        "conversation_summary": _SUMMARY.format(name=name, policy=policy, time=time),
        "conversation_id": f"sample-{rng.randrange(10**8)}",
        "location_country": country,
        "location_city": city,
        "tags": rng.sample(_TAGS, rng.randrange(3)),
        "created_at": created.isoformat(),
        "updated_at": (created + (now - created) * rng.random()).isoformat(),
        "notes_count": 0,
        "custom": {},
    }
    return row | _marks(rng) | _conversation(rng, created) | _links(rng, references)


def complete(row: Row) -> Row:
    """The row with the columns that follow from others."""
    contact = contact_values(_text(row, "phone"), _text(row, "email"), "US")
    made = {
        "phone": contact.phone,
        "phone_display": contact.phone_display,
        "phone_key": contact.phone_key,
        "email_key": contact.email_key,
    }
    return row | made | {"search_text": search_text(search_values(row | made))}


def _marks(rng: random.Random) -> Row:
    return {
        "source": rng.choice(list(LeadSource)).value,
        "score": rng.randrange(101),
        "interest_level": rng.choice(list(InterestLevel)).value,
        "confidence": rng.choice(list(Confidence)).value,
        "category": rng.choice(list(LeadCategory)).value,
        "ai_legitimate": rng.randrange(10) > 0,
        "ai_confidence_score": rng.randrange(50, 101),
        "ai_verification_reasons": rng.sample(_REASONS, 2),
    }


def _conversation(rng: random.Random, created: datetime) -> Row:
    language = rng.choice(_LANGUAGES)
    return {
        "primary_language": language,
        "detected_languages": list(dict.fromkeys((language, "en"))),
        "session_id": f"session-{rng.randrange(16**8):08x}",
        "user_agent": "Mozilla/5.0 (sample)",
        "ip_address": f"192.0.2.{rng.randrange(1, 255)}",
        "message_count": rng.randrange(2, 40),
        "session_duration": rng.randrange(30, 1800),
        "first_interest_detected": (created + timedelta(minutes=1)).isoformat(),
        "last_interest_detected": (created + timedelta(minutes=4)).isoformat(),
    }


def _links(rng: random.Random, references: References) -> Row:
    status_id, _, stage = rng.choice(references.statuses)
    chatbot = rng.choice(references.chatbots) if references.chatbots else None
    company = chatbot[1] if chatbot and chatbot[1] else _any(rng, references.companies)
    return {
        "status_id": str(status_id),
        "stage": stage,
        "chatbot_id": str(chatbot[0]) if chatbot else None,
        "company_id": str(company) if company else None,
        "assignee_id": _shown(_any(rng, references.users)),
    }


def _any(rng: random.Random, ids: Sequence[UUID]) -> UUID | None:
    return rng.choice(ids) if ids else None


def _shown(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _text(row: Mapping[str, JsonValue], column: str) -> str | None:
    value = row.get(column)
    return value if isinstance(value, str) else None
