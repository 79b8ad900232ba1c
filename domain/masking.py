"""The one masking policy: which fields are hidden from a caller, and what stands in their place."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from domain.actors import Actor
from domain.fields import FIELDS
from domain.settings import MaskingRule, OrganizationSettings
from domain.vocabulary import FieldType, LeadFieldKey, MaskingMode, Permission

__all__ = ["HIDDEN", "MASKABLE", "Masks", "is_masked", "mask_text", "masks_for", "masks_for_some", "masks_of_file"]

Masks = Mapping[LeadFieldKey, MaskingMode]

HIDDEN: Final = "***"
VISIBLE_END: Final = 4
"""How many characters a partly masked number still shows, where at least as many stay hidden."""

_K = LeadFieldKey
_NEVER_NULL: Final = frozenset(
    {
        *(_K.LEAD_ID, _K.VERSION, _K.STATUS, _K.STATUS_ID, _K.STATUS_NAME, _K.STAGE, _K.SOURCE, _K.NOTES_COUNT),
        *(_K.CREATED_AT, _K.UPDATED_AT, _K.DELETED_AT),
    }
)
MASKABLE: Final = frozenset(FIELDS) - _NEVER_NULL
"""Fields that a rule may name: the others carry the list itself."""

_ADDRESS_PARTS: Final = (
    _K.ADDRESS_STREET,
    _K.ADDRESS_CITY,
    _K.ADDRESS_REGION,
    _K.ADDRESS_POSTAL_CODE,
    _K.ADDRESS_COUNTRY,
)
_SAME_VALUE: Final[Mapping[LeadFieldKey, tuple[LeadFieldKey, ...]]] = {
    _K.PHONE: (_K.PHONE_DISPLAY,),
    _K.PHONE_DISPLAY: (_K.PHONE,),
    _K.ADDRESS: _ADDRESS_PARTS,
    **dict.fromkeys(_ADDRESS_PARTS, (_K.ADDRESS,)),
    _K.CONVERSATION_ID: (_K.CONVERSATION_URL,),
    _K.CONVERSATION_URL: (_K.CONVERSATION_ID,),
    _K.COMPANY_ID: (_K.COMPANY_NAME,),
    _K.COMPANY_NAME: (_K.COMPANY_ID,),
    _K.CHATBOT_ID: (_K.CHATBOT_NAME,),
    _K.CHATBOT_NAME: (_K.CHATBOT_ID,),
}
"""Fields that would tell what a masked one hides."""

_ALWAYS: Final = MaskingRule(_K.NATIONAL_ID, MaskingMode.PARTIAL)
_ORDER: Final = {key: index for index, key in enumerate(FIELDS)}
_NUMBERS: Final = frozenset({_K.PHONE, _K.PHONE_DISPLAY, _K.NATIONAL_ID})
_MASKED: Final = re.compile(r"\*\*\*|.\*\*\*(?:@.*)?|\*\*\*.{1,4}", re.DOTALL)


def masks_for(actor: Actor, settings: OrganizationSettings) -> Masks:
    """The fields that queries hide from the caller, in the registry's order.

    A national id is hidden from everybody but those who may unmask, whatever the rules say.
    """
    if actor.may(Permission.LEADS_UNMASK):
        return {}
    return _masks([*(rule for rule in settings.masking if actor.role not in rule.except_roles), _ALWAYS])


def masks_of_file(actor: Actor, settings: OrganizationSettings, *, unmask: bool) -> Masks:
    """The fields that a file for the caller hides: all that any rule names, unless unmasking was asked for too."""
    if unmask:
        return masks_for(actor, settings)
    return masks_for_some(settings)


def masks_for_some(settings: OrganizationSettings) -> Masks:
    """All that any rule names: what is hidden from one caller or another."""
    return _masks([*settings.masking, _ALWAYS])


def mask_text(key: LeadFieldKey, mode: MaskingMode, value: str | None) -> str | None:
    """What a caller sees of a text that is masked for them; db/masks.py has the same in SQL."""
    if not value:
        return value
    if mode is MaskingMode.REDACT or len(value) == 1:
        return HIDDEN
    if FIELDS[key].type is FieldType.EMAIL:
        _, at, host = value.partition("@")
        return f"{value[0]}{HIDDEN}{at}{host}" if value[0] != "@" else HIDDEN
    if key in _NUMBERS:
        return HIDDEN + value[-VISIBLE_END:] if len(value) >= 2 * VISIBLE_END else HIDDEN
    return value[0] + HIDDEN


def is_masked(text: str) -> bool:
    """Whether a cell of an imported file is what a mask left: such a cell overwrites nothing."""
    return HIDDEN in text and _MASKED.fullmatch(text) is not None


def _masks(rules: Iterable[MaskingRule]) -> Masks:
    modes = dict[LeadFieldKey, MaskingMode]()
    for rule in rules:
        for key in (rule.field, *_SAME_VALUE.get(rule.field, ())):
            if key in MASKABLE and modes.get(key) is not MaskingMode.REDACT:
                modes[key] = rule.mode
    return {key: modes[key] for key in sorted(modes, key=_ORDER.__getitem__)}
