"""Bearer tokens: only what we or the provider signed, for us, and not over (RFC 8725)."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from domain.errors import Unauthenticated
from domain.vocabulary import Role
from web.tokens import Tokens, TokenSettings

NEW, OLD = b"the secret that signs now, 32 bytes", b"the secret that signed before, 32 by"
SETTINGS = TokenSettings(issuer="leadport", audience="leadport", secrets={"new": NEW, "old": OLD})


def claims(**changes: object) -> dict[str, object]:
    valid = {
        "iss": "leadport",
        "aud": "leadport",
        "exp": int(time.time()) + 60,
        "sub": "ada",
        "org": "acme",
        "role": "ADMIN",
    }
    return {name: value for name, value in {**valid, **changes}.items() if value is not ...}


def signed(secret: object = NEW, key_id: str | None = "new", algorithm: str = "HS256", **changes: object) -> str:
    return jwt.encode(claims(**changes), secret, algorithm, headers={"kid": key_id} if key_id else None)


def test_what_is_issued_is_verified() -> None:
    tokens = Tokens(SETTINGS)
    issued = tokens.issue(organization="acme", role=Role.AGENT, subject="ada", name="Ada Invented", seconds=60)
    verified = tokens.verify(issued)
    assert (verified.subject, verified.organization, verified.role) == ("ada", "acme", Role.AGENT)
    assert verified.name == "Ada Invented"
    assert verified.expires_at == pytest.approx(time.time() + 60, abs=3)


def test_a_key_that_signed_before_still_verifies() -> None:
    assert Tokens(SETTINGS).verify(signed(OLD, "old")).subject == "ada"


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1_000_000_000},
        {"exp": ...},
        {"exp": "tomorrow"},
        {"exp": 10**400},
        {"iss": "elsewhere"},
        {"iss": ...},
        {"aud": "elsewhere"},
        {"aud": ...},
        {"sub": ...},
        {"sub": 7},
        {"sub": ""},
        {"sub": "a\x00b"},
        {"sub": "a\r\nb"},
        {"sub": "x" * 301},
        {"org": ...},
        {"org": 7},
        {"role": ...},
        {"role": "EMPEROR"},
        {"role": ["ADMIN"]},
        {"nbf": 4_000_000_000},
    ],
    ids=lambda changes: "-".join(f"{name}-{str(value)[:12]}" for name, value in changes.items()),
)
def test_a_claim_that_is_wrong_or_missing_is_refused(changes: dict[str, object]) -> None:
    text = json.dumps(claims(**changes)).encode()
    token = jwt.api_jws.encode(text, NEW, "HS256", headers={"kid": "new"})
    with pytest.raises(Unauthenticated):
        Tokens(SETTINGS).verify(token)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nonsense",
        "a.b.c",
        signed(OLD, "new"),
        signed(NEW, "unknown"),
        signed(NEW, None),
        signed("", None, "none"),
        signed(NEW + NEW, "new", "HS512"),
        signed() + "x",
        signed() + "." + "x" * 9_000,
    ],
    ids=["empty", "word", "words", "other", "unknown", "unnamed", "unsigned", "algorithm", "longer", "long"],
)
def test_a_token_that_nobody_signed_for_us_is_refused(token: str) -> None:
    with pytest.raises(Unauthenticated):
        Tokens(SETTINGS).verify(token)


def test_a_payload_changed_after_signing_is_refused() -> None:
    header, _, signature = signed().split(".")
    payload = base64.urlsafe_b64encode(json.dumps(claims(role="OWNER")).encode()).decode().rstrip("=")
    with pytest.raises(Unauthenticated):
        Tokens(SETTINGS).verify(f"{header}.{payload}.{signature}")


def test_control_characters_of_a_name_are_left_out() -> None:
    assert Tokens(SETTINGS).verify(signed(name="Ada\x00\x1b[31m\r\nInvented")).name == "Ada[31mInvented"
    assert Tokens(SETTINGS).verify(signed(name="\x00", email=7)).name is None


class Provider:
    """An identity provider: a key and an address that publishes it."""

    def __init__(self) -> None:
        self.keys = {"first": rsa.generate_private_key(65537, 2048)}
        self.asked = 0
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked += 1
                body = json.dumps({"keys": [provider.published(name) for name in provider.keys]}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def published(self, name: str) -> dict[str, object]:
        key = RSAAlgorithm.to_jwk(self.keys[name].public_key(), as_dict=True)
        return {**key, "kid": name, "use": "sig", "alg": "RS256"}

    def tokens(self) -> Tokens:
        url = f"http://127.0.0.1:{self.server.server_port}/keys"
        return Tokens(TokenSettings(issuer="leadport", audience="leadport", secrets={"new": NEW}, jwks_url=url))

    def signed(self, name: str, **changes: object) -> str:
        return signed(self.keys[name], name, "RS256", **changes)


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.server.shutdown()
    made.thread.join()
    made.server.server_close()


def test_what_the_provider_signed_is_verified_and_its_keys_are_kept(provider: Provider) -> None:
    tokens = provider.tokens()
    for _ in range(3):
        assert tokens.verify(provider.signed("first")).subject == "ada"
    assert provider.asked == 1
    assert tokens.verify(signed()).subject == "ada", "our own keys go on to count"


def test_a_key_that_the_provider_made_later_is_fetched(provider: Provider) -> None:
    tokens = provider.tokens()
    tokens.verify(provider.signed("first"))
    provider.keys["second"] = rsa.generate_private_key(65537, 2048)
    assert tokens.verify(provider.signed("second")).subject == "ada"


def test_invented_key_ids_do_not_make_us_ask_the_provider_each_time(provider: Provider) -> None:
    tokens, stranger = provider.tokens(), rsa.generate_private_key(65537, 2048)
    for number in range(5):
        with pytest.raises(Unauthenticated):
            tokens.verify(signed(stranger, f"invented{number}", "RS256"))
    assert provider.asked <= 2


def test_a_public_key_is_no_shared_secret(provider: Provider) -> None:
    """The classic confusion: HS256, signed with the text of the provider's public key."""
    tokens = provider.tokens()
    pem = provider.keys["first"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "kid": "first", "typ": "JWT"}, claims())]
    text = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
    key = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    mac = base64.urlsafe_b64encode(key.sign(text.encode(), pem)).decode().rstrip("=")
    with pytest.raises(Unauthenticated):
        tokens.verify(f"{text}.{mac}")


def test_a_provider_that_is_away_denies(provider: Provider) -> None:
    tokens = provider.tokens()
    token = provider.signed("first")
    provider.server.shutdown()
    provider.server.server_close()
    with pytest.raises(Unauthenticated):
        tokens.verify(token)
