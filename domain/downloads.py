"""Who may open a job's file."""

from domain.actors import Actor
from domain.job_rules import RULES
from domain.jobs import JobFileRecord
from domain.masking import masks_for
from domain.settings import OrganizationSettings
from domain.vocabulary import JobFileRole, JobKind, Permission

_AS_GIVEN = (JobFileRole.ORIGINAL, JobFileRole.ERRORS)
"""What somebody sent in: it holds whatever they put there."""


def may_open(actor: Actor, settings: OrganizationSettings, kind: JobKind, file: JobFileRecord) -> bool:
    """Whether the caller may have a file of a job of this kind.

    ORIGINAL and ERRORS open to their uploader and to callers for whom nothing is masked; files with values that are
    masked for some, to callers who may unmask.
    """
    if not actor.may(RULES[kind].permission):
        return False
    if file.role in _AS_GIVEN:
        return (actor.id is not None and actor.id == file.uploader_id) or not masks_for(actor, settings)
    return not file.sensitive or actor.may(Permission.LEADS_UNMASK)
