"""Other ways to export the same rows, run by an interpreter of their own: nothing of ours is imported.

`python peers.py <way> <dsn> <organization> <limit> <target>` prints seconds and MB over the idle process as JSON.
"""

import csv
import json
import resource
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import psutil
import psycopg

SQL = Path(__file__).with_name("raw.sql").read_text()
BATCH = 2_000


def rows(dsn: str, organization: str, limit: str) -> Iterator[tuple]:
    with psycopg.connect(dsn) as connection, connection.cursor("leads") as cursor:
        cursor.itersize = BATCH
        cursor.execute(SQL.format(organization=organization, limit=limit))
        yield [column.name for column in cursor.description or ()]
        yield from cursor


def shown(value: object) -> object:
    if isinstance(value, list):
        return ";".join(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, str) and value[:1] in "=+-@":
        return "'" + value
    return "Yes" if value is True else "No" if value is False else value


def csv_writer(dsn: str, organization: str, limit: str, target: str) -> None:
    with Path(target).open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        for row in rows(dsn, organization, limit):
            writer.writerow([shown(value) for value in row])


def xlsxwriter(dsn: str, organization: str, limit: str, target: str) -> None:
    import xlsxwriter as library  # noqa: PLC0415 - each way loads its own library alone

    book = library.Workbook(target, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet()
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    for number, row in enumerate(rows(dsn, organization, limit)):
        for place, value in enumerate(row):
            if isinstance(value, datetime):
                sheet.write_datetime(number, place, value.replace(tzinfo=None), moment)
            elif isinstance(value, int | float) and not isinstance(value, bool):
                sheet.write_number(number, place, value)
            elif value is not None:
                sheet.write_string(number, place, str(shown(value)))
    book.close()


def django_import_export(dsn: str, organization: str, limit: str, target: str) -> None:
    import django  # noqa: PLC0415 - configured first
    from django.conf import settings  # noqa: PLC0415 - likewise

    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    names = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password", "NAME": "dbname"}
    database = {name: parts.get(key, "") for name, key in names.items()}
    options = {"options": "-c search_path=store"}
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "OPTIONS": options, **database}},
        INSTALLED_APPS=["import_export"],
        USE_TZ=True,
    )
    django.setup()
    from django.contrib.postgres.fields import ArrayField  # noqa: PLC0415 - after setup
    from django.db import models  # noqa: PLC0415 - likewise
    from import_export import resources  # noqa: PLC0415 - likewise

    kinds = {
        "uuid": models.UUIDField,
        "text": models.TextField,
        "smallint": models.IntegerField,
        "integer": models.IntegerField,
        "boolean": models.BooleanField,
        "timestamp with time zone": models.DateTimeField,
        "jsonb": models.JSONField,
    }
    columns = SQL.partition("select ")[2].partition(" from ")[0].split(", ")
    with psycopg.connect(dsn) as connection:
        types = dict(
            connection.execute(
                "select column_name, data_type from information_schema.columns"
                " where table_schema = 'store' and table_name = 'leads'"
            ).fetchall()
        )

    def field(name: str) -> models.Field:
        if types[name] == "ARRAY":
            return ArrayField(models.TextField())
        if types[name] == "numeric":
            return models.DecimalField(max_digits=18, decimal_places=4, null=True)
        kind = kinds[types[name]]
        return kind(primary_key=True) if name == "id" else kind(null=True)

    attributes: dict[str, object] = {name: field(name) for name in columns}
    attributes["organization_id"] = models.UUIDField()
    meta = type("Meta", (), {"managed": False, "db_table": "leads", "app_label": "import_export"})
    lead = type("Lead", (models.Model,), {**attributes, "Meta": meta, "__module__": __name__})
    options_of = type("Meta", (), {"model": lead, "fields": columns, "export_order": columns})
    resource_of = type("LeadResource", (resources.ModelResource,), {"Meta": options_of})
    found = lead.objects.filter(organization_id=organization).order_by("-created_at", "-id")[: int(limit)]
    Path(target).write_text(resource_of().export(found).csv, encoding="utf-8-sig")


WAYS = {way.__name__: way for way in (csv_writer, xlsxwriter, django_import_export)}

if __name__ == "__main__":
    way, *arguments = sys.argv[1:]
    idle = psutil.Process().memory_info().rss
    began = time.perf_counter()
    WAYS[way](*arguments)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    size = Path(arguments[-1]).stat().st_size / 1e6
    print(json.dumps({"seconds": seconds, "MB": size, "MiB over idle": (peak - idle) / 2**20}))
