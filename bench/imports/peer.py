"""The same file through django-import-export's bulk mode, by an interpreter of its own: nothing of ours is imported.

`python peer.py <bulk|tuned> <dsn> <organization> <status> <file>` judges phones, e-mails, sources and scores, skips
leads that are there and rows that are repeated, creates the others, and prints what it took as JSON. `bulk` is the
library's bulk mode as it comes; `tuned` also looks up all leads at once and compares no values, as its documentation
advises. There is no report of rows, no checkpoint and no undo.
"""

# ruff: noqa: ARG002, D106, DJ001, DJ008 - Django's signatures, and a table that is not Django's
import json
import resource
import sys
import time
import uuid
from pathlib import Path

import django
import phonenumbers
import psutil
import psycopg
import tablib
from django.conf import settings
from django.core.validators import validate_email

way, dsn, organization, status, source = sys.argv[1:]
TUNED = way == "tuned"
parts = psycopg.conninfo.conninfo_to_dict(dsn)
names = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password", "NAME": "dbname"}
database = {name: parts.get(key, "") for name, key in names.items()}
settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "OPTIONS": {"options": "-c search_path=store"},
            **database,
        }
    },
    INSTALLED_APPS=["import_export"],
    USE_TZ=True,
)
django.setup()

from django.contrib.postgres.fields import ArrayField  # noqa: E402 - after setup
from django.db import models  # noqa: E402 - likewise
from import_export.fields import Field  # noqa: E402 - likewise
from import_export.instance_loaders import CachedInstanceLoader  # noqa: E402 - likewise
from import_export.resources import ModelResource  # noqa: E402 - likewise
from import_export.widgets import CharWidget, Widget  # noqa: E402 - likewise

SOURCES = {"web", "phone", "email", "referral", "walk_in", "social_media"}
Cells = dict[str, str]


class Lead(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    organization_id = models.UUIDField(default=organization)
    status_id = models.UUIDField(default=status)
    stage = models.TextField(default="NEW")
    name = models.TextField()
    phone = models.TextField()
    phone_display = models.TextField()
    phone_key = models.TextField()
    email = models.TextField(null=True)
    email_key = models.TextField(null=True)
    source = models.TextField()
    lead_source = models.TextField(null=True)
    conversation_summary = models.TextField(null=True)
    score = models.IntegerField(null=True)
    primary_language = models.TextField(null=True)
    tags = ArrayField(models.TextField(), default=list)
    address_city = models.TextField(null=True)
    search_text = models.TextField()

    class Meta:
        managed = False
        db_table = "leads"
        app_label = "import_export"


class Required(CharWidget):
    def clean(self, value: str, row: Cells | None = None, **more: object) -> str:
        if not value:
            raise ValueError("is required")
        return value


class Phone(Widget):
    def clean(self, value: str, row: Cells | None = None, **more: object) -> str:
        try:
            number = phonenumbers.parse(value, "US")
        except phonenumbers.NumberParseException as error:
            raise ValueError("is no phone") from error
        if not phonenumbers.is_valid_number(number):
            raise ValueError("is no valid phone")
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class Email(CharWidget):
    def clean(self, value: str, row: Cells | None = None, **more: object) -> str:
        if value:
            validate_email(value)
        return value


class Source(Widget):
    def clean(self, value: str, row: Cells | None = None, **more: object) -> str:
        if value not in SOURCES:
            raise ValueError("is no source")
        return value.upper()


class Score(Widget):
    def clean(self, value: str, row: Cells | None = None, **more: object) -> int | None:
        score = int(value) if value else None
        if score is not None and not 0 <= score <= 100:
            raise ValueError("is no score")
        return score


class Tags(Widget):
    def clean(self, value: str, row: Cells | None = None, **more: object) -> list[str]:
        return value.split(";") if value else []


class LeadResource(ModelResource):
    name = Field("name", "name", Required())
    phone = Field("phone", "phone", Phone())
    email = Field("email", "email", Email())
    source = Field("source", "source", Source())
    lead_source = Field("lead_source", "lead source", CharWidget())
    conversation_summary = Field("conversation_summary", "conversation summary", CharWidget())
    score = Field("score", "score", Score())
    primary_language = Field("primary_language", "primary language", CharWidget())
    tags = Field("tags", "tags", Tags())
    address_city = Field("address_city", "city", CharWidget())

    class Meta:
        model = Lead
        fields = (
            "name",
            "phone",
            "email",
            "source",
            "lead_source",
            "conversation_summary",
            "score",
            "primary_language",
            "tags",
            "address_city",
        )
        import_id_fields = ("phone",)
        use_bulk = True
        use_transactions = True
        if TUNED:
            instance_loader_class = CachedInstanceLoader
            skip_diff = True

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def get_queryset(self) -> models.QuerySet:
        return Lead.objects.filter(organization_id=organization)

    def skip_row(
        self, instance: Lead, original: Lead | None, row: Cells, import_validation_errors: object = None
    ) -> bool:
        if import_validation_errors:
            return False
        known = not instance._state.adding or instance.phone in self.seen  # noqa: SLF001 - Django's own way to ask
        self.seen.add(instance.phone)
        return known

    def before_save_instance(self, instance: Lead, row: Cells, **more: object) -> None:
        number = phonenumbers.parse(instance.phone)
        instance.phone_display = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
        instance.phone_key = instance.phone
        instance.email_key = instance.email.casefold() if instance.email else None
        found = (instance.name, instance.email, instance.phone[1:], instance.conversation_summary)
        instance.search_text = " ".join(filter(None, found)).casefold()


def main() -> None:
    process = psutil.Process()
    idle, before = process.memory_info().rss, time.process_time()
    began = time.perf_counter()
    rows = tablib.Dataset().load(Path(source).read_text(encoding="utf-8"), format="csv")
    result = LeadResource().import_data(rows, dry_run=False, raise_errors=False, rollback_on_validation_errors=False)
    seconds = time.perf_counter() - began
    if result.has_errors():
        raise SystemExit(str(result.row_errors()[:1]))
    figures = {
        "seconds": seconds,
        "cpu seconds": time.process_time() - before,
        "peak MiB": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - idle) / 2**20,
        "created": result.totals["new"],
        "skipped": result.totals["skip"],
        "failed": result.totals["invalid"],
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
