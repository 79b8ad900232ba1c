import os

import pytest

from settings import Settings, SettingsError, load_settings, unknown_variables
from tools.print_settings import README, with_table

SECRET = "a:" + "s" * 32


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in os.environ if name.startswith("LEADPORT_") or name == "DATABASE_URL"]:
        monkeypatch.delenv(name)


def test_the_table_in_the_readme_is_the_one_of_the_code():
    text = README.read_text(encoding="utf-8")
    assert text == with_table(text), "run python -m tools.print_settings"


def test_every_setting_is_described():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_nothing_set_means_the_demo_on_this_machine():
    settings = load_settings()
    assert settings.database_url is None
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)


def test_the_command_line_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LEADPORT_PORT", "9000")
    assert load_settings(port=None).port == 9000
    assert load_settings(port=9001).port == 9001


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LEADPORT_PORT", "")
    monkeypatch.setenv("DATABASE_URL", "")
    assert load_settings().port == 8000
    assert load_settings().database_url is None


def test_lists_and_options_are_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LEADPORT_ALLOWED_ORIGINS", "https://a.example, https://b.example")
    monkeypatch.setenv("LEADPORT_STORAGE_OPTIONS", '{"endpoint": "http://127.0.0.1:8333"}')
    settings = load_settings()
    assert settings.allowed_origins == ("https://a.example", "https://b.example")
    assert settings.storage_options == {"endpoint": "http://127.0.0.1:8333"}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LEADPORT_PORT", "80 80"),
        ("LEADPORT_PORT", "65536"),
        ("LEADPORT_WORKER", "perhaps"),
        ("LEADPORT_PUBLIC_URL", "leads.example.com"),
        ("LEADPORT_PUBLIC_URL", "https://leads.example.com/?a=b"),
        ("LEADPORT_ALLOWED_ORIGINS", "app.example.com"),
        ("LEADPORT_ALLOWED_ORIGINS", "https://a.example,https://b.example/"),
        ("LEADPORT_TRUSTED_PROXIES", "10.0.0.0/8,proxy"),
        ("LEADPORT_LOG_LEVEL", "loud"),
        ("LEADPORT_MAX_PAGE_SIZE", "0"),
    ],
)
def test_a_wrong_value_is_named_in_one_line(variable: str, value: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    message = str(refused.value)
    assert message.startswith(f"{variable}: ")
    assert repr(value) in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", "mysql://me:hidden@db/crm"),
        ("LEADPORT_APP_DATABASE_URL", "hidden"),
        ("LEADPORT_SECRET_KEYS", "hidden"),
        ("LEADPORT_SECRET_KEYS", "a:hidden"),
        ("LEADPORT_SECRET_KEYS", f"{SECRET},a:{'hidden' * 6}"),
        ("LEADPORT_SECRET_KEYS", f"a b:{'hidden' * 6}"),
        ("LEADPORT_TOKEN_KEYS", "hidden,hidden"),
        ("LEADPORT_STORAGE_OPTIONS", "hidden"),
        ("LEADPORT_STORAGE_OPTIONS", '["hidden"]'),
    ],
)
def test_a_wrong_secret_is_named_and_not_repeated(variable: str, value: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    message = str(refused.value)
    assert message.startswith(f"{variable}: ")
    assert "hidden" not in message
    assert "\n" not in message


def test_secrets_do_not_appear_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LEADPORT_SECRET_KEYS", SECRET)
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hidden@db/crm")
    printed = repr(load_settings())
    assert "s" * 32 not in printed
    assert "hidden" not in printed


def test_a_variable_that_is_no_setting_is_pointed_out():
    found = unknown_variables(
        {"LEADPORT_STORAGEURL": "x", "LEADPORT_PORT": "1", "LEADPORT_ACCEPTANCE": "x", "HOME": "/"}
    )
    assert found == ["LEADPORT_STORAGEURL is not a setting: did you mean LEADPORT_STORAGE_URL?"]
