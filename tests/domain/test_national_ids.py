"""What a mask may show of a national id."""

import pytest

from domain.national_ids import last_digits


@pytest.mark.parametrize(("plain", "shown"), [("123456782", "6782"), ("12345678", "5678"), ("1234567", "")])
def test_a_mask_shows_at_most_half_of_a_national_id(plain: str, shown: str) -> None:
    assert last_digits(plain) == shown
