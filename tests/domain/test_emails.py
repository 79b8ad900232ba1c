import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from domain.emails import email_key, is_email

letters = st.sampled_from("aZ0-_+.x")
names = st.text(letters, max_size=70)
domains = st.lists(st.text(st.sampled_from("aZ0-xn"), min_size=0, max_size=66), max_size=5).map(".".join)
endings = st.sampled_from(["", ".com", ".test", ".invalid", ".LOCAL", ".museum", ".c", ".c0m", ".onion.", "\n"])
addresses = st.tuples(names, st.sampled_from(["@", "@", "", "@@"]), domains, endings).map("".join)


def reference(text: str):
    try:
        validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


@given(addresses)
@example("a@b.com\n")
@example("a@-b.com")
@example("a@b-.com")
@example("a@ab--c.com")
@example("a@xn--a.com")
@example("a@b.test")
@example(f"{'a' * 64}@{'b' * 63}.com")
@example(f"a@{'b' * 64}.com")
def test_the_quick_test_accepts_nothing_that_the_reference_refuses_and_loses_nothing(text: str):
    assert is_email(text) is reference(text)


@pytest.mark.parametrize(
    "text", ["dana@example.com", "Dana.Levi+x@sub.example.co.il", "δοκιμή@παράδειγμα.ελ", "o'neil@example.com"]
)
def test_an_address_is_accepted(text: str):
    assert is_email(text)


@pytest.mark.parametrize(
    "text",
    ["dana", "dana@", "@example.com", "dana@example", "a b@example.com", "Dana <d@example.com>", "a@doe.invalid"],
)
def test_what_is_no_address_is_refused(text: str):
    assert not is_email(text)


def test_addresses_match_whatever_their_case():
    assert email_key("Dana@Example.COM") == email_key("dana@example.com")
