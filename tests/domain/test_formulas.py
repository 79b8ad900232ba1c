"""The formula guard and its inverse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.formulas import FIRST_CHARACTERS, guard, strip_guard

_RISKY = st.text(alphabet=st.sampled_from("'\"=+-@\t\r\n ＝＋－＠\u00a0\u200bab1,."), max_size=8)


@given(st.one_of(st.text(), _RISKY), st.booleans())
def test_s25_stripping_undoes_the_guard(text: str, phone: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    assert strip_guard(guard(text, phone=phone)) == text


@given(_RISKY)
def test_s25_a_guarded_text_begins_with_a_character_of_the_cheap_test(text: str) -> None:
    assert guard(text) == text or ord(text[0]) in FIRST_CHARACTERS


@pytest.mark.parametrize("text", ["=1+1", "+a", "-a", "@x", "\tx", "\rx", "＝1", '"=1', "' =1", " \n=1", "\u00a0@x"])
def test_s25_a_text_that_begins_like_a_formula_is_guarded(text: str) -> None:
    assert guard(text) == "'" + text


@pytest.mark.parametrize("text", ["", "a=1", "+33612345678", "-12.5", "-3,7", "+1", "O'Neil", "'quoted'"])
def test_s25_plain_numbers_and_texts_stay_as_they_are(text: str) -> None:
    assert guard(text) == text


def test_s25_a_phone_in_its_reading_form_stays_in_a_column_of_phones_alone() -> None:
    assert guard("+1 201-555-0123", phone=True) == "+1 201-555-0123"
    assert guard("+1 201-555-0123") == "'+1 201-555-0123"
