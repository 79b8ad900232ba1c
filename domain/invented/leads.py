"""Invented leads, the same ones for the same seed and moment."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final
from uuid import UUID

from domain.invented.people import LOCALES, MAIL_DOMAINS, Locale
from domain.lead_values import contact_values, search_text, search_values
from domain.records import StatusRecord
from domain.vocabulary import Confidence, InterestLevel, LeadCategory, LeadSource, LeadStage

__all__ = ["Cast", "InventedCall", "InventedLead", "InventedNote", "invent_leads"]

Value = str | int | bool | Decimal | datetime | UUID | tuple[str, ...] | Mapping[str, str] | None

_DAYS: Final = 120
_DOUBT: Final = 55
_WARM: Final = frozenset({LeadStage.QUALIFIED, LeadStage.APPOINTMENT, LeadStage.WON})
_STAGE_WEIGHTS: Final = {
    LeadStage.NEW: 30,
    LeadStage.CONTACTED: 18,
    LeadStage.QUALIFYING: 10,
    LeadStage.QUALIFIED: 12,
    LeadStage.APPOINTMENT: 6,
    LeadStage.WON: 6,
    LeadStage.LOST: 12,
    LeadStage.DRAFT: 3,
    LeadStage.OTHER: 3,
}
_CAMPAIGNS: Final = ("Spring fair", "Search ads", "Newsletter", "Partner site", "Open house", "Radio spot")
_POLICIES: Final = ("health", "car", "home", "life", "travel", "business")
_TIMES: Final = ("mornings", "afternoons", "evenings", "weekends", "any time")
_TAGS: Final = ("vip", "follow-up", "newsletter", "spring", "referral", "price-sensitive", "returning", "q4")
_REASONS: Final = ("valid phone", "real name", "consistent answers", "known device", "repeated text")
_BROWSERS: Final = ("Mozilla/5.0 (Windows NT 10.0)", "Mozilla/5.0 (Macintosh)", "Mozilla/5.0 (Linux; Android 14)")
_CALLS: Final = ("answered", "no_answer", "busy", "voicemail", "callback_requested")
_WON: Final = ("Best price", "Recommended by a friend", "Fast answer", "Right product")
_LOST: Final = ("Too expensive", "Chose a competitor", "No longer interested", "Could not be reached")
_SUMMARY: Final = "Asked about {policy} cover for {people} people; wants to be contacted {time}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """What the leads refer to: the organization's own rows. `country` is its default country."""

    statuses: Sequence[StatusRecord]
    companies: Sequence[UUID]
    chatbots: Sequence[tuple[UUID, UUID]]
    assignees: Sequence[UUID]
    country: str


@dataclass(frozen=True, slots=True)
class InventedNote:
    """A note of a lead."""

    text: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class InventedCall:
    """A call with a lead."""

    status: str
    at: datetime
    duration_seconds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InventedLead:
    """`values` by column of `leads`, without the national id, which is sealed by whoever stores it."""

    values: Mapping[str, Value]
    national_id: str | None
    notes: Sequence[InventedNote]
    calls: Sequence[InventedCall]


@dataclass(frozen=True, slots=True)
class _Setting:
    """What the parts of one lead share."""

    random: Random
    cast: Cast
    locale: Locale
    created: datetime
    now: datetime

    def often(self, percent: float) -> bool:
        return self.random.random() * 100 < percent

    def later(self, days: float) -> datetime:
        """A moment after the lead came, at most so many days later and never in the future."""
        span = min(timedelta(days=days), self.now - self.created)
        return (self.created + span * self.random.random()).replace(microsecond=0)

    def pick(self, items: Sequence[str]) -> str:
        return self.random.choice(items)


def invent_leads(cast: Cast, count: int, now: datetime, seed: int = 1) -> Iterator[InventedLead]:
    """So many leads, oldest first, created over the 120 days before `now`; phones differ while their ranges last."""
    random = Random(seed)  # noqa: S311 - the same leads every time
    made = dict.fromkeys(LOCALES, 0)
    shares = [locale.share for locale in LOCALES]
    for moment in sorted(now - timedelta(seconds=random.uniform(60, _DAYS * 86_400)) for _ in range(count)):
        (locale,) = random.choices(LOCALES, shares)
        yield _lead(_Setting(random, cast, locale, moment.replace(microsecond=0), now), made[locale])
        made[locale] += 1


def _lead(setting: _Setting, number: int) -> InventedLead:
    source = setting.random.choices(tuple(LeadSource), (22, 8, 12, 8, 8, 3, 9, 8, 14, 4, 2, 2))[0]
    values: dict[str, Value] = {
        "id": _uuid7(setting),
        "version": 1,
        **_person(setting, number),
        **_pipeline(setting, source),
        **(_conversation(setting) if source in {LeadSource.CHATBOT, LeadSource.WEB, LeadSource.WHATSAPP} else {}),
    }
    values |= _outcome(setting, str(values["stage"]))
    notes, calls = _notes(setting), _calls(setting, str(values["stage"]))
    values["notes_count"] = len(notes)
    if calls:
        last = calls[-1]
        values |= {
            "last_call_at": last.at,
            "last_call_status": last.status,
            "last_call_duration_seconds": last.duration_seconds,
        }
    values["updated_at"] = max([setting.later(30), *(note.created_at for note in notes), *(call.at for call in calls)])
    values["search_text"] = search_text(search_values(values, (note.text for note in notes)))
    national_id = f"{setting.random.randrange(10**9):09d}" if setting.often(12) else None
    return InventedLead(values=values, national_id=national_id, notes=notes, calls=calls)


def _uuid7(setting: _Setting) -> UUID:
    """RFC 9562: the lead's own moment, then 74 bits of our generator."""
    milliseconds = int(setting.created.timestamp() * 1000)
    bits = setting.random.getrandbits(74)
    return UUID(int=milliseconds << 80 | 7 << 76 | bits >> 62 << 64 | 2 << 62 | bits & (1 << 62) - 1)


def _person(setting: _Setting, number: int) -> dict[str, Value]:
    random, locale = setting.random, setting.locale
    given, family = random.choice(locale.given), random.choice(locale.family)
    mail = f"{given[1]}.{family[1]}{number}@{setting.pick(MAIL_DOMAINS)}" if setting.often(86) else None
    contact = contact_values(locale.phone(number) if setting.often(95) else None, mail, setting.cast.country)
    address = setting.often(55)
    return {
        "external_id": f"{locale.country}-{10_000 + number}" if setting.often(25) else None,
        "name": f"{given[0]} {family[0]}",
        "phone": contact.phone,
        "phone_display": contact.phone_display,
        "phone_key": contact.phone_key,
        "email": contact.email,
        "email_key": contact.email_key,
        "address_street": f"{random.randint(1, 180)} {setting.pick(locale.streets)}" if address else None,
        "address_city": setting.pick(locale.cities) if address else None,
        "address_postal_code": f"{random.randint(10_000, 99_999)}" if address else None,
        "address_country": locale.country if address else None,
        "primary_language": locale.language,
        "detected_languages": (locale.language, *locale.also[: random.randint(0, 2)]),
        "created_at": setting.created,
        "created_by": setting.pick(("Website", "Demo Agent", "Demo Pro", "Import")),
    }


def _pipeline(setting: _Setting, source: LeadSource) -> dict[str, Value]:
    random, cast = setting.random, setting.cast
    status = random.choices(cast.statuses, [_STAGE_WEIGHTS[status.stage] for status in cast.statuses])[0]
    score = (
        min(100, max(0, round(random.gauss(70 if status.stage in _WARM else 48, 18)))) if setting.often(85) else None
    )
    return {
        "status_id": status.id,
        "stage": status.stage.value,
        "source": source.value,
        "lead_source": setting.pick(_CAMPAIGNS) if setting.often(60) else None,
        "score": score,
        "interest_level": None if score is None else _level(score),
        "confidence": setting.pick(tuple(Confidence)) if setting.often(70) else None,
        "category": setting.pick(tuple(LeadCategory)) if setting.often(75) else None,
        "policy_of_interest": setting.pick(_POLICIES) if setting.often(65) else None,
        "preferred_contact_time": setting.pick(_TIMES) if setting.often(50) else None,
        "company_id": random.choice(cast.companies) if setting.often(70) else None,
        "assignee_id": random.choice(cast.assignees) if setting.often(55) else None,
        "tags": tuple(sorted(random.sample(_TAGS, random.choice((0, 0, 1, 1, 2, 3))))),
        "property_id": f"P-{random.randint(100, 999)}" if setting.often(15) else None,
        "case_type": setting.pick(("sale", "rent", "renewal")) if setting.often(20) else None,
        "custom": _custom(setting),
    }


def _custom(setting: _Setting) -> Mapping[str, str]:
    random = setting.random
    given = {
        "budget": f"{random.randint(2, 90) * 1000}",
        "household": f"{random.randint(1, 6)}",
        "newsletter": setting.pick(("yes", "no")),
    }
    return {key: value for key, value in given.items() if setting.often(30)}


def _conversation(setting: _Setting) -> dict[str, Value]:
    random, locale = setting.random, setting.locale
    chatbot, company = random.choice(setting.cast.chatbots)
    confidence = random.randint(35, 99)
    summary = _SUMMARY.format(policy=setting.pick(_POLICIES), people=random.randint(1, 5), time=setting.pick(_TIMES))
    return {
        "chatbot_id": chatbot,
        "company_id": company,
        "session_id": f"s-{random.getrandbits(48):012x}",
        "conversation_id": f"c-{random.getrandbits(48):012x}",
        "user_agent": setting.pick(_BROWSERS),
        "ip_address": f"{setting.pick(('192.0.2', '198.51.100', '203.0.113'))}.{random.randint(1, 254)}",
        "location_country": locale.country_name,
        "location_city": setting.pick(locale.cities),
        "message_count": random.randint(2, 40),
        "session_duration": random.randint(30, 2400),
        "first_interest_detected": setting.created,
        "last_interest_detected": setting.later(2),
        "conversation_summary": summary,
        "ai_legitimate": confidence > _DOUBT,
        "ai_confidence_score": confidence,
        "ai_verification_reasons": tuple(random.sample(_REASONS, random.randint(1, 3))),
    }


def _outcome(setting: _Setting, stage: str) -> dict[str, Value]:
    match stage:
        case LeadStage.WON:
            return {
                "converted_at": setting.later(40),
                "conversion_value": Decimal(setting.random.randint(10_000, 900_000)) / 100,
                "conversion_currency": setting.locale.currency,
                "conversion_source": setting.pick(("phone call", "web form", "meeting")),
                "won_reason": setting.pick(_WON),
            }
        case LeadStage.LOST:
            return {"loss_reason": setting.pick(_LOST)}
        case _:
            return {}


def _notes(setting: _Setting) -> list[InventedNote]:
    count = setting.random.choices((0, 1, 2, 3), (62, 24, 10, 4))[0]
    remarks = setting.random.sample(setting.locale.remarks, min(count, len(setting.locale.remarks)))
    moments = sorted(setting.later(20) for _ in remarks)
    return [InventedNote(text, moment) for text, moment in zip(remarks, moments, strict=True)]


def _calls(setting: _Setting, stage: str) -> list[InventedCall]:
    if stage in {LeadStage.NEW, LeadStage.DRAFT} or setting.often(35):
        return []
    moments = sorted(setting.later(25) for _ in range(setting.random.randint(1, 4)))
    return [_call(setting, moment) for moment in moments]


def _call(setting: _Setting, at: datetime) -> InventedCall:
    status = setting.pick(_CALLS)
    return InventedCall(status, at, setting.random.randint(20, 900) if status == "answered" else None)


def _level(score: int) -> str:
    bounds = ((85, InterestLevel.HOT), (65, InterestLevel.HIGH), (40, InterestLevel.MEDIUM), (0, InterestLevel.LOW))
    return next(level.value for bound, level in bounds if score >= bound)
