import asyncpg
import psycopg
import pytest

from db.dsn import as_role, database_of, for_asyncpg, for_psycopg, with_database

URLS = [
    "postgresql://me:p%40ss%20word@db.example.com:6432/crm?sslmode=require",
    "postgres://me:p%40ss%20word@db.example.com:6432/crm?sslmode=require",
    "postgresql+asyncpg://me:p%40ss%20word@db.example.com:6432/crm?sslmode=require",
    "postgresql+psycopg://me:p%40ss%20word@db.example.com:6432/crm?sslmode=require",
    "host=db.example.com port=6432 user=me password='p@ss word' dbname=crm sslmode=require",
]


@pytest.mark.parametrize("given", URLS)
def test_every_way_to_write_an_address_means_the_same(given: str):
    assert psycopg.conninfo.conninfo_to_dict(for_psycopg(given)) == {
        "user": "me",
        "password": "p@ss word",
        "host": "db.example.com",
        "port": "6432",
        "dbname": "crm",
        "sslmode": "require",
    }
    assert for_asyncpg(given) == for_asyncpg(URLS[0])


def test_asyncpg_is_not_given_what_only_libpq_knows():
    address = for_asyncpg(
        "postgresql://me@db/crm?channel_binding=require&connect_timeout=4&gssencmode=disable&keepalives_idle=9"
        "&application_name=crm&options=-c%20work_mem%3D64MB%20-c%20search_path%3Da,b"
    )
    assert address.dsn == "postgresql://?user=me&dbname=crm&host=db&application_name=crm"
    assert address.timeout == 4
    assert address.server_settings == {"work_mem": "64MB", "search_path": "a,b"}


@pytest.mark.parametrize(
    "addition",
    ["&channel_binding=prefer", "&connect_timeout=5", "&sslmode=prefer", "&gssencmode=disable&keepalives=1"],
)
async def test_both_drivers_open_the_address(addition: str, template_database: str, database_url: str):
    parts = psycopg.conninfo.conninfo_to_dict(database_url)
    url = (
        f"postgresql://{parts['user']}:{parts['password']}@/{parts['dbname']}?host={parts['host']}"
        f"&options=-c%20work_mem%3D7MB{addition}"
    )
    with psycopg.connect(for_psycopg(url)) as connection:
        assert connection.execute("select current_database(), current_setting('work_mem')").fetchone() == (
            parts["dbname"],
            "7MB",
        )
    address = for_asyncpg(url)
    connection = await asyncpg.connect(address.dsn, timeout=address.timeout, server_settings=address.server_settings)
    assert tuple(await connection.fetchrow("select current_database(), current_setting('work_mem')")) == (
        parts["dbname"],
        "7MB",
    )
    await connection.close()


def test_another_role_opens_the_same_database():
    assert database_of(as_role("postgresql://me:x@db/crm", "app", "y")) == "crm"
    assert database_of(as_role("postgresql://me:x@db", "app", "y")) == "me"
    assert "x" not in for_psycopg(as_role("postgresql://me:x@db/crm", "app", "y")).split("password=")[1].split()[0]


def test_another_database_is_opened_by_the_same_role():
    assert for_psycopg(with_database("postgresql://me:x@db/crm", "other")) == for_psycopg("postgresql://me:x@db/other")


@pytest.mark.parametrize("given", ["", "mysql://me:secret@db/crm", "postgresql://me:secret@db:port/crm?nonsense=1"])
def test_what_is_no_address_is_refused_without_repeating_it(given: str):
    if given:
        with pytest.raises(ValueError, match="a database address is postgresql://") as refused:
            for_psycopg(given)
        assert "secret" not in str(refused.value)
    else:
        assert for_psycopg(given) == ""
