import pytest

from domain.keyring import Keyring, Unsealable, parse_secrets

OLD = b"an old secret of thirty-two chars"
NEW = b"a newer secret of thirty-two char"
BOTH = Keyring({"new": NEW, "old": OLD}, "new")
BEFORE = Keyring({"old": OLD}, "old")


def test_what_was_sealed_opens_at_its_place_alone():
    sealed = BOTH.seal("national id", b"123456789", b"lead 1")
    assert BOTH.open("national id", sealed, b"lead 1") == b"123456789"
    with pytest.raises(Unsealable):
        BOTH.open("national id", sealed, b"lead 2")


def test_what_was_sealed_for_one_purpose_does_not_open_for_another():
    with pytest.raises(Unsealable):
        BOTH.open("webhook", BOTH.seal("national id", b"x"))


def test_the_same_value_is_sealed_differently_each_time():
    assert BOTH.seal("national id", b"x") != BOTH.seal("national id", b"x")


@pytest.mark.parametrize("change", [-1, 4, 12, 20])
def test_a_changed_seal_does_not_open(change: int):
    sealed = BOTH.seal("national id", b"123456789")
    place = change % len(sealed)
    other = "A" if sealed[place] != "A" else "B"
    with pytest.raises(Unsealable):
        BOTH.open("national id", sealed[:place] + other + sealed[place + 1 :])


def test_after_a_rotation_the_new_key_signs_and_both_are_good():
    message = b"a link"
    old, new = BEFORE.sign("link", message), BOTH.sign("link", message)
    assert BOTH.current == "new"
    assert old != new
    assert BOTH.verify("link", "old", message, old)
    assert BOTH.verify("link", "new", message, new)
    assert BOTH.open("national id", BEFORE.seal("national id", b"x")) == b"x"


def test_a_removed_key_is_good_for_nothing():
    assert not BEFORE.verify("link", "new", b"a link", BOTH.sign("link", b"a link"))
    with pytest.raises(Unsealable):
        BEFORE.open("national id", BOTH.seal("national id", b"x"))


@pytest.mark.parametrize(
    ("purpose", "key_id", "message"), [("other", "new", b"m"), ("link", "old", b"m"), ("link", "new", b"n")]
)
def test_a_signature_is_for_one_purpose_key_and_message(purpose: str, key_id: str, message: bytes):
    assert not BOTH.verify(purpose, key_id, message, BOTH.sign("link", b"m"))


def test_secrets_are_read_in_their_order():
    assert parse_secrets(f"b:{'x' * 32}, a:{'y' * 30}:z") == {"b": b"x" * 32, "a": b"y" * 30 + b":z"}
    assert list(parse_secrets(f"b:{'x' * 32},a:{'y' * 32}")) == ["b", "a"]


@pytest.mark.parametrize("text", ["", "secret", f":{'x' * 32}", f"a.b:{'x' * 32}", "a:short", f"a:{'x' * 32},"])
def test_what_is_no_list_of_secrets_is_refused(text: str):
    with pytest.raises(ValueError, match="must"):
        parse_secrets(text)
