"""Previews, templates and schedules of exports."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from db.deliveries import deliveries_of
from db.organizations import load_organization
from db.schedules import DueSchedule
from db.webhooks import delete_endpoint, insert_endpoint
from domain.actors import Actor
from domain.errors import BadInput, Forbidden, LimitProblem, Rejected
from domain.exports import ColumnSpec, Delivery, ExportSpec, FileOptions, LeadOrder
from domain.ids import IdKind, format_id, new_id
from domain.job_details import ExportPreview
from domain.paging import Count
from domain.partners import WebhookRecord
from domain.records import OrganizationRecord, ScheduleRecord
from domain.requests import SaveSchedule, SaveTemplate
from domain.settings import Limits, MaskingRule, OrganizationSettings
from domain.vocabulary import (
    BuiltinTemplate,
    ExportFormat,
    JobState,
    LeadFieldKey,
    LeadSortField,
    MaskingMode,
    Role,
    SortDirection,
    SplitBy,
    UserErrorCode,
)
from jobs.export_preview import preview_export
from jobs.export_schedules import drop_schedule, run_schedule, save_schedule, schedules, submit_scheduled
from jobs.export_templates import drop_template, save_template, templates
from jobs.runtime import Runtime
from tests.conftest import MakeOrganization, actor_of
from tests.db.export_rows import add_lead, add_leads
from tests.jobs.exporting import Exporting

NAME = (ColumnSpec(field=LeadFieldKey.NAME),)


@pytest.fixture
async def acme(new_organization: MakeOrganization) -> OrganizationRecord:
    masking = (MaskingRule(LeadFieldKey.EMAIL, MaskingMode.PARTIAL),)
    return await new_organization("acme", settings=OrganizationSettings(masking=masking))


@pytest.fixture
async def exporting(runtime: Runtime, acme: OrganizationRecord) -> Exporting:
    await add_leads(
        runtime.database,
        acme,
        {"name": "=x", "email": "dana@example.com", "policy_of_interest": "health"},
        {"name": "b", "policy_of_interest": "car"},
    )
    exporting = Exporting(runtime, acme)
    async with runtime.database.unit(acme.id) as connection:
        await connection.execute("insert into users (id, name, role) values ($1, 'Dana', 'OWNER')", exporting.actor.id)
    return exporting


async def _preview(exporting: Exporting, spec: ExportSpec, first: int, actor: Actor | None = None) -> ExportPreview:
    async with exporting.runtime.database.unit(exporting.organization.id) as connection:
        organization = await load_organization(connection, exporting.runtime.limits)
    return await preview_export(exporting.runtime, actor or exporting.actor, organization, spec, first)


async def test_a_preview_shows_the_first_rows_as_the_file_would_have_them(exporting: Exporting) -> None:
    spec = ExportSpec(template=BuiltinTemplate.CRM, filter={"policyOfInterest": {"contains": "health"}})
    preview = await _preview(exporting, spec, 10)
    assert preview.rows == (("'=x", None, "d***@example.com", "health"),)
    assert (preview.row_count, preview.masked_fields) == (Count(1), (LeadFieldKey.EMAIL,))
    assert preview.file_name.startswith("leads_export_policy_of_interest_contains_health_")
    assert [column.header for column in preview.columns] == ["Name", "Phone", "Email", "Policy"]
    assert any("Masked: email" in warning for warning in preview.warnings)
    assert (preview.estimated_bytes > 0, preview.estimated_seconds > 0) == (True, True)
    workbook = await _preview(exporting, replace(spec, format=ExportFormat.XLSX), 10)
    assert workbook.rows[0][0] == "=x"


async def test_previews_of_the_same_columns_show_each_caller_what_the_own_file_would(exporting: Exporting) -> None:
    spec = ExportSpec(columns=(ColumnSpec(field=LeadFieldKey.EMAIL),), filter={"name": {"eq": "=x"}})
    for unmask, email in ((False, "d***@example.com"), (True, "dana@example.com"), (False, "d***@example.com")):
        preview = await _preview(exporting, replace(spec, unmask=unmask), 1)
        assert preview.rows == ((email,),)


async def test_a_preview_keeps_the_order_and_the_limit_of_its_export(exporting: Exporting) -> None:
    for direction, names in ((SortDirection.ASC, ["'=x", "b"]), (SortDirection.DESC, ["b", "'=x"])):
        spec = ExportSpec(columns=NAME, order_by=LeadOrder(LeadSortField.NAME, direction))
        for limit in (None, 1):
            preview = await _preview(exporting, replace(spec, limit=limit), 10)
            assert [row[0] for row in preview.rows] == names[:limit]
            assert preview.row_count == Count(limit or 2)


async def test_a_preview_of_a_delta_counts_and_shows_the_deleted_leads_too(exporting: Exporting) -> None:
    token = (await exporting.export(columns=NAME)).result["deltaToken"]
    async with exporting.runtime.database.unit(exporting.organization.id) as connection:
        await add_lead(connection, name="fresh")
        for _ in range(2):
            await connection.execute("insert into lead_deletions (lead_id) values (gen_random_uuid())")
    spec = ExportSpec(columns=NAME, since=token)
    preview = await _preview(exporting, spec, 2)
    assert [row[-1] for row in preview.rows] == ["created", "deleted"]
    assert preview.row_count == Count(3)


async def test_a_preview_of_samples_reads_no_lead(exporting: Exporting) -> None:
    spec = ExportSpec(columns=NAME, sample_rows=30)
    preview = await _preview(exporting, spec, 5)
    assert (len(preview.rows), preview.row_count) == (5, Count(30))
    assert preview.rows[0][0] not in ("'=x", "b")


async def test_a_preview_tells_what_is_wrong_with_its_place(exporting: Exporting) -> None:
    for spec, path in (
        (ExportSpec(limit=0), ("spec", "limit")),
        (ExportSpec(filter={"status": {"eq": "nope"}}), ("spec", "filter", "status")),
        (ExportSpec(filter={"companyId": {"eq": "x"}}), ("spec", "filter", "companyId", "eq")),
    ):
        with pytest.raises(BadInput) as caught:
            await _preview(exporting, spec, 10)
        assert caught.value.path == path
    with pytest.raises(BadInput):
        await _preview(exporting, ExportSpec(), 0)
    with pytest.raises(Forbidden):
        await _preview(exporting, ExportSpec(), 1, actor_of(Role.VIEWER, exporting.organization))


async def test_s27_a_masked_field_can_neither_order_nor_filter(exporting: Exporting) -> None:
    pro = actor_of(Role.PRO, exporting.organization)
    masking = '[{"field": "CONVERSION_VALUE", "mode": "REDACT", "exceptRoles": []}]'
    sql = "update store.organizations set settings = settings || jsonb_build_object('masking', $1::jsonb) where id = $2"
    await exporting.runtime.system.execute(
        sql.replace("$1::jsonb", f"'{masking}'::jsonb").replace("$2", "$1"), pro.organization_id
    )
    for spec in (
        ExportSpec(order_by=LeadOrder(LeadSortField.CONVERSION_VALUE)),
        ExportSpec(filter={"conversionValue": {"gt": "10"}}),
    ):
        with pytest.raises(BadInput):
            await _preview(exporting, spec, 1, pro)


async def test_templates_are_saved_listed_used_and_deleted(exporting: Exporting) -> None:
    runtime, actor = exporting.runtime, exporting.actor
    spec = ExportSpec(columns=(ColumnSpec(field=LeadFieldKey.NAME, header="Who"),), file=FileOptions(delimiter=";"))
    saved = await save_template(runtime, actor, SaveTemplate(name="Mine", spec=spec))
    assert [column.header for column in saved.columns] == ["Who"]
    listed = await templates(runtime, actor)
    assert [one.builtin for one in listed] == [*BuiltinTemplate, None]
    assert saved.id is not None
    shown = format_id(IdKind.TEMPLATE, saved.id)
    job = await exporting.export(template_id=shown)
    assert (await exporting.bytes(job)).decode("utf-8-sig") == "Who\r\n'=x\r\nb\r\n"
    again = await save_template(runtime, actor, SaveTemplate(id=shown, name="Ours", spec=ExportSpec(columns=NAME)))
    assert (again.id, again.name) == (saved.id, "Ours")
    await drop_template(runtime, actor, shown)
    assert len(await templates(runtime, actor)) == len(BuiltinTemplate)
    with pytest.raises(Rejected):
        await exporting.submit(template_id=shown)
    assert (await exporting.activity()).count("TEMPLATE_CHANGED") == 3


async def test_a_template_that_cannot_be_saved_is_told(exporting: Exporting) -> None:
    runtime, actor = exporting.runtime, exporting.actor
    await save_template(runtime, actor, SaveTemplate(name="Mine", spec=ExportSpec(columns=NAME)))
    for request, code in (
        (SaveTemplate(name="Mine", spec=ExportSpec()), UserErrorCode.DUPLICATE),
        (SaveTemplate(name="x", spec=ExportSpec(since="d1-0-0")), UserErrorCode.INVALID),
        (SaveTemplate(name="x", spec=ExportSpec(unmask=True)), UserErrorCode.INVALID),
        (SaveTemplate(name="x", spec=ExportSpec(limit=0)), UserErrorCode.OUT_OF_RANGE),
        (SaveTemplate(name="x", id=format_id(IdKind.TEMPLATE, new_id()), spec=ExportSpec()), UserErrorCode.NOT_FOUND),
    ):
        with pytest.raises(Rejected) as caught:
            await save_template(runtime, actor, request)
        assert caught.value.problems[0].code is code
    with pytest.raises(Forbidden):
        await save_template(
            runtime, actor_of(Role.PRO, exporting.organization), SaveTemplate(name="x", spec=ExportSpec())
        )


def _schedule(**given: object) -> SaveSchedule:
    request = SaveSchedule(
        name="Weekly",
        cron="0 7 * * 1",
        time_zone="Europe/Paris",
        spec=ExportSpec(columns=NAME),
        deliver=(Delivery(email=("sales@example.com",)),),
    )
    return replace(request, **given)


def _due(exporting: Exporting, schedule: ScheduleRecord, slot: datetime) -> DueSchedule:
    return DueSchedule(exporting.organization.id, schedule, slot, slot)


async def test_the_servers_limit_of_ids_holds_for_exports(exporting: Exporting) -> None:
    runtime = replace(exporting.runtime, limits=Limits(max_bulk_ids=2))
    limited = Exporting(runtime, exporting.organization)
    spec = ExportSpec(ids=tuple(format_id(IdKind.LEAD, new_id()) for _ in range(3)))
    with pytest.raises(Rejected) as refused:
        await limited.submit(ids=spec.ids)
    (problem,) = refused.value.problems
    assert isinstance(problem, LimitProblem)
    assert (problem.limit, problem.actual, problem.path) == (2, 3, ("input", "spec", "ids"))
    with pytest.raises(BadInput, match="At most 2 ids"):
        await _preview(limited, spec, 1)


async def test_a_schedule_shows_its_next_runs_in_its_zone(exporting: Exporting) -> None:
    saved, runs = await save_schedule(exporting.runtime, exporting.actor, _schedule())
    assert len(runs) == 5
    assert (saved.next_run_at, saved.enabled, saved.actor.id) == (runs[0], True, exporting.actor.id)
    assert {(run.weekday(), run.hour) for run in runs} <= {(0, 5), (0, 6)}
    assert all(later - earlier > timedelta(days=6) for earlier, later in pairwise(runs))
    assert [one.id for one in await schedules(exporting.runtime, exporting.actor)] == [saved.id]
    shown = format_id(IdKind.SCHEDULE, saved.id)
    paused, runs = await save_schedule(exporting.runtime, exporting.actor, _schedule(id=shown, enabled=False))
    assert (paused.id, paused.next_run_at, list(runs)) == (saved.id, None, [])
    await drop_schedule(exporting.runtime, exporting.actor, shown)
    assert await schedules(exporting.runtime, exporting.actor) == []


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"cron": "whenever"}, ("input", "cron")),
        ({"cron": "0 0 30 2 *"}, ("input", "cron")),
        ({"spec": ExportSpec(since="d1-0-0")}, ("input", "spec", "since")),
        ({"spec": ExportSpec(limit=0)}, ("input", "spec", "limit")),
        ({"incremental": True, "spec": ExportSpec(limit=5)}, ("input", "spec", "limit")),
        ({"incremental": True, "spec": ExportSpec(split_by=SplitBy.STATUS)}, ("input", "spec", "splitBy")),
        ({"deliver": (Delivery(email=("nope",)),)}, ("input", "deliver", "0", "email", "0")),
        ({"id": "schedule_x"}, ("input", "id")),
    ],
)
async def test_a_schedule_that_cannot_be_saved_is_told(
    exporting: Exporting, given: dict[str, object], path: tuple[str, ...]
) -> None:
    with pytest.raises(Rejected) as caught:
        await save_schedule(exporting.runtime, exporting.actor, _schedule(**given))
    assert caught.value.problems[0].path == path


async def test_a_slot_is_submitted_once_for_whoever_saved_the_schedule(exporting: Exporting) -> None:
    saved, runs = await save_schedule(exporting.runtime, exporting.actor, _schedule())
    due = _due(exporting, saved, runs[0])
    job_id = await submit_scheduled(exporting.runtime, due)
    assert await submit_scheduled(exporting.runtime, due) == job_id
    job = await exporting.run(await exporting.load(job_id))
    assert (job.state, job.trigger, job.schedule_id) == (JobState.COMPLETED, "SCHEDULE", saved.id)
    assert (job.actor.id, job.actor.name) == (exporting.actor.id, "Dana")
    async with exporting.runtime.database.unit(exporting.organization.id) as connection:
        await connection.execute("update users set role = 'VIEWER'")
    with pytest.raises(Forbidden):
        await submit_scheduled(exporting.runtime, _due(exporting, saved, runs[1]))
    async with exporting.runtime.database.unit(exporting.organization.id) as connection:
        await connection.execute("update users set role = 'OWNER', active = false")
    with pytest.raises(Forbidden):
        await submit_scheduled(exporting.runtime, _due(exporting, saved, runs[1]))


async def test_a_schedule_goes_on_without_an_endpoint_that_was_deleted(exporting: Exporting) -> None:
    endpoint = WebhookRecord(id=new_id(), url="https://hooks.example.com/", events=(), enabled=True)
    async with exporting.runtime.database.unit(exporting.organization.id) as connection:
        await insert_endpoint(connection, endpoint, "sealed")
    told = Delivery(email=("a@example.com",), webhook_endpoint_id=format_id(IdKind.WEBHOOK, endpoint.id))
    saved, runs = await save_schedule(exporting.runtime, exporting.actor, _schedule(deliver=(told,)))
    async with exporting.runtime.database.unit(exporting.organization.id) as connection:
        assert await delete_endpoint(connection, endpoint.id)
    job_id = await submit_scheduled(exporting.runtime, _due(exporting, saved, runs[0]))
    assert (await exporting.run(await exporting.load(job_id))).state is JobState.COMPLETED
    async with exporting.runtime.database.unit(exporting.organization.id) as connection:
        assert [one.target for one in await deliveries_of(connection, job_id)] == ["a@example.com"]


async def test_a_schedule_that_a_system_administrator_of_another_organization_saved_runs(
    exporting: Exporting, new_organization: MakeOrganization
) -> None:
    home, visitor = await new_organization("home"), actor_of(Role.SYSTEM_ADMIN, exporting.organization)
    saved, runs = await save_schedule(exporting.runtime, visitor, _schedule())
    with pytest.raises(Forbidden):
        await submit_scheduled(exporting.runtime, _due(exporting, saved, runs[0]))
    async with exporting.runtime.database.unit(home.id) as connection:
        row = "insert into users (id, name, role) values ($1, 'Helper', 'SYSTEM_ADMIN')"
        await connection.execute(row, visitor.id)
    job_id = await submit_scheduled(exporting.runtime, _due(exporting, saved, runs[0]))
    assert (await exporting.run(await exporting.load(job_id))).state is JobState.COMPLETED
    async with exporting.runtime.database.unit(home.id) as connection:
        await connection.execute("update users set role = 'OWNER'")
    with pytest.raises(Forbidden):
        await submit_scheduled(exporting.runtime, _due(exporting, saved, runs[1]))


async def test_an_incremental_schedule_gives_only_what_changed_since_its_last_run(exporting: Exporting) -> None:
    saved, runs = await save_schedule(
        exporting.runtime, exporting.actor, _schedule(incremental=True, skip_when_empty=True)
    )

    async def run(slot: datetime) -> object:
        return await exporting.run(
            await exporting.load(await submit_scheduled(exporting.runtime, _due(exporting, saved, slot)))
        )

    first = await run(runs[0])
    assert len(await exporting.rows(first)) == 3
    empty = await run(runs[1])
    assert (empty.state, empty.result["rowCount"], "fileId" in empty.result) == (JobState.COMPLETED, 0, False)
    async with exporting.runtime.database.unit(exporting.organization.id) as connection:
        await add_lead(connection, name="fresh")
        assert await connection.fetchval("select count(*) from deliveries") == 1
    changed = await run(runs[2])
    assert [row[1] for row in (await exporting.rows(changed))[1:]] == ["fresh"]


async def test_a_slot_whose_export_has_ended_before_the_schedule_moved_on_is_not_made_again(
    exporting: Exporting,
) -> None:
    saved, runs = await save_schedule(exporting.runtime, exporting.actor, _schedule(incremental=True))
    due = _due(exporting, saved, runs[0])
    job_id = await submit_scheduled(exporting.runtime, due)
    await exporting.run(await exporting.load(job_id))
    assert await submit_scheduled(exporting.runtime, due) == job_id


async def test_a_schedule_can_be_run_by_hand(exporting: Exporting) -> None:
    saved, _ = await save_schedule(exporting.runtime, exporting.actor, _schedule(enabled=False))
    job = await run_schedule(exporting.runtime, exporting.actor, format_id(IdKind.SCHEDULE, saved.id))
    assert (await exporting.run(job)).state is JobState.COMPLETED
    with pytest.raises(Rejected):
        await run_schedule(exporting.runtime, exporting.actor, format_id(IdKind.SCHEDULE, new_id()))


async def test_schedules_need_their_permission(exporting: Exporting) -> None:
    viewer = actor_of(Role.VIEWER, exporting.organization)
    with pytest.raises(Forbidden):
        await schedules(exporting.runtime, viewer)
    with pytest.raises(Forbidden):
        await save_schedule(exporting.runtime, viewer, _schedule())
