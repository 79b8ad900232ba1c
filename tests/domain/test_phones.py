import random

import phonenumbers
import pytest

from domain.phones import read_phone

SWITCHBOARD = "+1 660-485-0224 ext. 12"


@pytest.mark.parametrize(
    "written",
    [
        "+33 6 12 34 56 78",
        "0033 6 12 34 56 78",
        "06 12 34 56 78",
        "06.12.34.56.78",
        "\u202a+33 6 12 34 56 78\u202c",
        "+33\u00a06\u00a012\u00a034\u00a056\u00a078",
        "٠٦١٢٣٤٥٦٧٨",
        "＋３３６１２３４５６７８",
        "\u200b0612345678\ufeff",
        "06\u201112\u201134\u201156\u201178",
        "tel:+33612345678",
    ],
)
def test_s24_every_way_to_write_a_number_becomes_one_e164(written: str):
    assert read_phone(written, "FR").text == "+33612345678"


def test_s24_00_is_a_plus_also_where_the_country_dials_011():
    assert read_phone("0033612345678", "US").key == "+33612345678"


def test_an_extension_is_shown_and_not_part_of_the_key():
    phone = read_phone("660-485-0224 x12", "US")
    assert (phone.key, phone.display) == ("+16604850224", SWITCHBOARD)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("25-989-741-2988", "259897412988"),
        ("pager", "pager"),
        ("Ask at DESK", "ask at desk"),
        ("+1 555 3227 8544", "155532278544"),
    ],
)
def test_s24_what_is_no_valid_number_stays_as_written_and_matches_by_digits_or_text(written: str, key: str):
    phone = read_phone(f" {written} ", "US")
    assert (phone.text, phone.display, phone.key, phone.valid) == (written, written, key, False)


def reference(text: str, country: str):
    """What `phonenumbers` alone makes of it."""
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def mutated(draw: random.Random, text: str):
    digits = list(text)
    places = [place for place, character in enumerate(digits) if character.isdigit()]
    for _ in range(draw.randrange(0, 6)):
        digits[draw.choice(places)] = draw.choice("0123456789")
    if draw.random() < 0.2:
        digits.insert(draw.randrange(len(digits)), draw.choice("0123456789 -().x,;#ab"))
    return "".join(digits)


def examples():
    for country in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in phonenumbers.PhoneNumberType.values():
            number = phonenumbers.example_number_for_type(country, kind)
            if number is not None:
                yield country, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
                yield country, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def test_the_reference_library_agrees_on_numbers_of_every_country_and_kind():
    draw = random.Random(20)
    differing = []
    for country, text in [*examples()] * 6:
        written = mutated(draw, text)
        expected = reference(written, country)
        read = read_phone(written, country)
        if (read.text if read.valid else None) != expected and not written.lstrip().startswith("00"):
            differing.append((written, country, expected, read))
    assert differing == []
