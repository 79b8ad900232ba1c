from uuid import UUID

import pytest

from domain.actors import Actor, ActorKind
from domain.masking import MASKABLE, is_masked, mask_text, masks_for, masks_of_file
from domain.permissions import PERMISSIONS
from domain.settings import MaskingRule, OrganizationSettings
from domain.vocabulary import LeadFieldKey, MaskingMode, Role

PHONE, EMAIL, NAME = LeadFieldKey.PHONE, LeadFieldKey.EMAIL, LeadFieldKey.NAME
PARTIAL, REDACT = MaskingMode.PARTIAL, MaskingMode.REDACT


def actor(role: Role) -> Actor:
    return Actor(ActorKind.USER, UUID(int=1), UUID(int=2), "Dana", role, PERMISSIONS[role])


def settings(*rules: MaskingRule) -> OrganizationSettings:
    return OrganizationSettings(masking=rules)


def test_s27_a_rule_hides_its_field_and_those_that_would_tell_the_same():
    masks = masks_for(actor(Role.AGENT), settings(MaskingRule(PHONE, PARTIAL)))
    assert set(masks) == {PHONE, LeadFieldKey.PHONE_DISPLAY, LeadFieldKey.NATIONAL_ID}


def test_an_excepted_role_sees_the_field_but_no_national_id():
    masks = masks_for(actor(Role.PRO), settings(MaskingRule(PHONE, REDACT, (Role.PRO,))))
    assert set(masks) == {LeadFieldKey.NATIONAL_ID}


def test_s27_a_national_id_is_masked_even_without_a_rule_or_for_an_excepted_role():
    rule = MaskingRule(LeadFieldKey.NATIONAL_ID, REDACT, (Role.PRO,))
    assert LeadFieldKey.NATIONAL_ID in masks_for(actor(Role.PRO), settings(rule))
    assert LeadFieldKey.NATIONAL_ID in masks_for(actor(Role.AGENT), settings())


def test_whoever_may_unmask_sees_everything_in_queries():
    assert not masks_for(actor(Role.ADMIN), settings(MaskingRule(PHONE, REDACT)))


def test_s27_a_file_stays_masked_for_them_unless_unmasking_was_asked_for():
    rules = settings(MaskingRule(PHONE, REDACT, (Role.ADMIN,)))
    assert PHONE in masks_of_file(actor(Role.ADMIN), rules, unmask=False)
    assert not masks_of_file(actor(Role.ADMIN), rules, unmask=True)


def test_s27_asking_to_unmask_gives_nothing_to_those_who_may_not():
    rules = settings(MaskingRule(PHONE, REDACT))
    assert PHONE in masks_of_file(actor(Role.PRO), rules, unmask=True)


def test_of_two_rules_for_a_field_the_stricter_holds():
    masks = masks_for(actor(Role.AGENT), settings(MaskingRule(PHONE, REDACT), MaskingRule(PHONE, PARTIAL)))
    assert masks[PHONE] is REDACT


def test_fields_that_carry_the_list_itself_cannot_be_masked():
    masks = masks_for(actor(Role.AGENT), settings(MaskingRule(LeadFieldKey.STATUS, REDACT)))
    assert LeadFieldKey.STATUS not in masks
    assert LeadFieldKey.STATUS not in MASKABLE


@pytest.mark.parametrize(
    ("key", "mode", "value", "shown"),
    [
        (EMAIL, PARTIAL, "dana@example.com", "d***@example.com"),
        (EMAIL, PARTIAL, "no address", "n***"),
        (EMAIL, PARTIAL, "@x", "***"),
        (PHONE, PARTIAL, "+33612345678", "***5678"),
        (PHONE, PARTIAL, "1234567", "***"),
        (NAME, PARTIAL, "דנה", "ד***"),
        (NAME, PARTIAL, "D", "***"),
        (NAME, REDACT, "Dana", "***"),
        (NAME, REDACT, None, None),
        (NAME, PARTIAL, "", ""),
    ],
)
def test_s27_what_is_left_of_a_masked_text(key: str, mode: object, value: object, shown: object):
    assert mask_text(key, mode, value) == shown


@pytest.mark.parametrize("text", ["***", "d***@example.com", "***5678", "ד***"])
def test_s27_what_a_mask_left_is_recognised_in_a_file(text: str):
    assert is_masked(text)


@pytest.mark.parametrize("text", ["", "Dana", "**", "a *** b", "five ***** stars"])
def test_an_ordinary_text_is_not_taken_for_a_masked_one(text: str):
    assert not is_masked(text)
