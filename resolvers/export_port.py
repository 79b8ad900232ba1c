"""What exports have beside every job."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from db.deliveries import deliveries_of
from db.export_schedules import load_schedule
from db.job_lists import JobList, list_jobs
from domain.actors import Actor
from domain.ids import IdKind, format_id
from domain.job_details import ExportDetails, FileDelivery, JobFilter
from domain.jobs import JobRecord
from domain.masking import masks_for
from domain.paging import Page, PageRequest
from domain.records import OrganizationRecord, ScheduleRecord
from jobs.export_details import export_details, shown_schedule
from jobs.runtime import Runtime

__all__ = ["ExportPort"]


class ExportPort:
    """Implements the ExportReads of schema/context.py for one caller."""

    def __init__(self, runtime: Runtime, actor: Actor, organization: OrganizationRecord) -> None:
        self._runtime = runtime
        self._organization = organization
        self._masks = masks_for(actor, organization.settings)

    def details(self, job: JobRecord) -> ExportDetails:
        """Read from the row's spec and result; values of masked fields in the filter are hidden."""
        return export_details(job, self._masks)

    async def deliveries(self, job: JobRecord) -> Sequence[FileDelivery]:
        """Who was told of the file."""
        async with self._runtime.database.unit(self._organization.id) as connection:
            return await deliveries_of(connection, job.id)

    async def schedule(self, schedule_id: UUID) -> ScheduleRecord | None:
        """A schedule, None once it is deleted."""
        async with self._runtime.database.unit(self._organization.id) as connection:
            found = await load_schedule(connection, schedule_id)
        return None if found is None else shown_schedule(found, self._masks)

    async def scheduled_jobs(self, schedule: ScheduleRecord, page: PageRequest) -> Page[JobRecord]:
        """The schedule's jobs, newest first, with a count."""
        wanted = JobList(
            organization_id=self._organization.id,
            now=datetime.now(UTC),
            zone=ZoneInfo(self._organization.settings.time_zone),
            filter=JobFilter(schedule_id=format_id(IdKind.SCHEDULE, schedule.id)),
        )
        return await list_jobs(self._runtime.database, wanted, page)
