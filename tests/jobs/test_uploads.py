"""Files on their way in, template files, and mails about imports."""

import io
import zipfile
from collections.abc import AsyncIterator

import pytest

from domain.errors import Forbidden, Rejected
from domain.file_names import shown_file_name
from domain.ids import IdKind, format_id
from domain.imports import ImportRequest
from domain.requests import CreateUpload
from domain.settings import Limits
from domain.vocabulary import ImportFormat, JobState, LeadFieldKey, Role
from jobs.import_requests import import_leads
from jobs.import_templates import TemplateRefused, open_template, template_link
from jobs.runtime import Runtime
from jobs.uploads import UploadRefused, accept_upload, create_upload, drop_expired_uploads, get_upload, upload_target
from tests.conftest import MakeOrganization, actor_of
from tests.jobs.importing import Importing, csv, working

DATA = csv(("A", "+12125550100", "web"))


@pytest.fixture
async def importing(runtime: Runtime, new_organization: MakeOrganization) -> Importing:
    return Importing.of(runtime, await new_organization())


async def chunks(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def announce(importing: Importing, **request: object) -> tuple[str, str]:
    made = CreateUpload(**{"file_name": "leads.csv", **request})
    upload = await create_upload(importing.runtime, importing.actor, Limits(), made)
    url = upload_target(importing.runtime, importing.organization.id, upload).url
    return format_id(IdKind.UPLOAD, upload.id), url.rpartition("/")[2]


async def test_a_file_sent_to_its_link_can_be_imported(importing: Importing, database_url: str):
    shown, token = await announce(importing)
    with pytest.raises(Rejected):
        await import_leads(importing.runtime, importing.actor, ImportRequest(upload_id=shown))
    await accept_upload(importing.runtime, token, chunks(DATA[:10], DATA[10:]))
    with pytest.raises(UploadRefused):
        await accept_upload(importing.runtime, token, chunks(DATA))
    async with working(importing.runtime, database_url):
        request = ImportRequest(upload_id=shown)
        job = await importing.ended(await import_leads(importing.runtime, importing.actor, request))
    assert job.state is JobState.COMPLETED


@pytest.mark.parametrize("place", [0, 5, -1, -5, 30])
async def test_a_link_that_was_changed_takes_nothing(importing: Importing, place: int):
    _, token = await announce(importing)
    changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place:][1:]
    with pytest.raises(UploadRefused):
        await accept_upload(importing.runtime, changed, chunks(DATA))


async def test_a_file_beyond_the_limit_leaves_nothing(runtime: Runtime, new_organization: MakeOrganization):
    importing = Importing.of(runtime, await new_organization(limits=Limits(max_upload_bytes=20)))
    shown, token = await announce(importing)
    with pytest.raises(UploadRefused) as refused:
        await accept_upload(importing.runtime, token, chunks(b"x" * 15, b"x" * 15))
    assert refused.value.why == "TOO_LARGE"
    upload = await get_upload(importing.runtime, importing.actor, shown)
    assert upload is not None
    assert await importing.runtime.store.size(upload.key) is None


async def test_a_foreign_upload_is_not_there(importing: Importing, new_organization: MakeOrganization):
    shown, token = await announce(importing)
    await accept_upload(importing.runtime, token, chunks(DATA))
    stranger = Importing.of(importing.runtime, await new_organization())
    assert await get_upload(stranger.runtime, stranger.actor, shown) is None
    with pytest.raises(Rejected) as refused:
        await import_leads(stranger.runtime, stranger.actor, ImportRequest(upload_id=shown))
    assert refused.value.problems[0].code == "NOT_FOUND"
    with pytest.raises(Forbidden):
        await get_upload(importing.runtime, actor_of(Role.AGENT, importing.organization), shown)


async def test_an_expired_upload_goes_with_its_object_and_one_that_a_job_took_over_stays(
    importing: Importing, database_url: str
):
    lost, token = await announce(importing)
    await accept_upload(importing.runtime, token, chunks(b"lost"))
    kept, token = await announce(importing)
    await accept_upload(importing.runtime, token, chunks(DATA))
    uploads = [await get_upload(importing.runtime, importing.actor, shown) for shown in (lost, kept)]
    async with working(importing.runtime, database_url):
        job = await import_leads(importing.runtime, importing.actor, ImportRequest(upload_id=kept))
        await importing.ended(job)
    await importing.runtime.system.execute("update store.uploads set expires_at = now()")
    assert await drop_expired_uploads(importing.runtime) == 1
    sizes = [await importing.runtime.store.size(upload.key) for upload in uploads if upload]
    assert sizes == [None, len(DATA)]


@pytest.mark.parametrize("content_type", ["text/csv\r\nX-Other: 1", "text/\0", "tëxt/csv", "x" * 256])
async def test_a_media_type_that_no_header_can_carry_is_refused(importing: Importing, content_type: str):
    announced = CreateUpload(file_name="a.csv", content_type=content_type)
    with pytest.raises(Rejected) as refused:
        await create_upload(importing.runtime, importing.actor, Limits(), announced)
    assert [problem.path for problem in refused.value.problems] == [("input", "contentType")]


async def test_a_size_below_nothing_is_refused(importing: Importing):
    announced = CreateUpload(file_name="a.csv", bytes=-1)
    with pytest.raises(Rejected) as refused:
        await create_upload(importing.runtime, importing.actor, Limits(), announced)
    assert [(one.code, one.path) for one in refused.value.problems] == [("OUT_OF_RANGE", ("input", "bytes"))]


async def test_two_imports_of_one_upload_have_a_file_each(importing: Importing, database_url: str):
    shown, token = await announce(importing)
    await accept_upload(importing.runtime, token, chunks(DATA))
    async with working(importing.runtime, database_url):
        for _ in range(2):
            request = ImportRequest(upload_id=shown, allow_same_file=True)
            await importing.ended(await import_leads(importing.runtime, importing.actor, request))
    keys = await importing.rows("select key from app.job_files where role = 'ORIGINAL'")
    assert len({row["key"] for row in keys}) == 2


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\files\\leads.csv", "leads.csv"),
        ("a\0b\r\nc.csv", "abc.csv"),
        ("gpj\u202e.csv", "gpj.csv"),
        ("", "upload"),
        ("x" * 5_000 + ".csv", "x" * 196 + ".csv"),
    ],
)
def test_s19_a_name_is_text_to_show_and_no_path(given: str, shown: str):
    assert shown_file_name(given) == shown


async def test_a_template_is_made_when_its_link_is_opened(importing: Importing):
    link = template_link(importing.runtime, importing.actor, ImportFormat.CSV, (LeadFieldKey.NAME, LeadFieldKey.PHONE))
    made = await open_template(importing.runtime, link.url.rpartition("/")[2])
    assert (made.name, made.data.decode("utf-8-sig").splitlines()[0]) == ("leads-import-template.csv", "Name,Phone")
    link = template_link(importing.runtime, importing.actor, ImportFormat.XLSX, None)
    made = await open_template(importing.runtime, link.url.rpartition("/")[2])
    assert "xl/workbook.xml" in zipfile.ZipFile(io.BytesIO(made.data)).namelist()
    with pytest.raises(TemplateRefused):
        await open_template(importing.runtime, link.url.rpartition("/")[2] + "x")


async def test_a_mail_is_planned_when_an_import_is_done_or_has_failed(importing: Importing, database_url: str):
    async with working(importing.runtime, database_url):
        await importing.run(DATA, notify=("a@example.com", "b@example.com"))
    told = await importing.rows("select target, payload ->> 'subject' as subject from app.deliveries order by target")
    assert [(row["target"], row["subject"]) for row in told] == [
        ("a@example.com", "Import leads.csv is done"),
        ("b@example.com", "Import leads.csv is done"),
    ]
    with pytest.raises(Rejected):
        await importing.start(DATA, notify=("no address",), allow_same_file=True)


async def test_a_name_of_several_lines_is_one_line_in_the_subject_of_a_mail(importing: Importing, database_url: str):
    async with working(importing.runtime, database_url):
        upload = await importing.send(DATA)
        await importing.ended(await importing.begin(upload, name="Fair\r\nof May", notify=("a@example.com",)))
    told = await importing.rows("select payload ->> 'subject' as subject from app.deliveries")
    assert told == [{"subject": "Import Fair of May is done"}]
