"""Addresses that webhooks may go to, and secrets bound to their endpoint."""

import pytest

from domain.ids import new_id
from domain.keyring import Keyring, Unsealable
from domain.webhooks import WebhookSecrets, is_public_address, new_signing_secret


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822", "8.8.8.8"])
def test_an_address_on_the_internet_is_public(address: str):
    assert is_public_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1", "2002:7f00:1::", "192.0.2.1", "nonsense", "",
    ],
)  # fmt: skip
def test_s30_an_address_inside_is_not_public(address: str):
    assert not is_public_address(address)


def test_a_sealed_secret_opens_for_its_endpoint_alone():
    secrets, endpoint = WebhookSecrets(Keyring({"k": b"x" * 32}, "k")), new_id()
    secret = new_signing_secret()
    sealed = secrets.seal(secret, endpoint)
    assert secret not in sealed
    assert secrets.open(sealed, endpoint) == secret
    with pytest.raises(Unsealable):
        secrets.open(sealed, new_id())
