"""What every code of an error means and what to do about it, for docs/errors.md. A test holds the tables complete."""

from collections.abc import Mapping
from typing import Final

from domain.vocabulary import ImportIssueCode, JobFailureCode, UserErrorCode

__all__ = ["ISSUES", "JOB_FAILURES", "TOP_LEVEL", "USER_ERRORS", "Meaning"]

Meaning = tuple[str, str]
"""What it means, and what to do."""

_U = UserErrorCode
_J = JobFailureCode
_I = ImportIssueCode

USER_ERRORS: Final[Mapping[UserErrorCode, Meaning]] = {
    _U.REQUIRED: ("Something that must be given is missing.", "Give what `path` names."),
    _U.INVALID: ("A value cannot be used here.", "Read `message`; `allowedValues` lists what would do, where short."),
    _U.OUT_OF_RANGE: ("A number or date is outside its bounds.", "Stay within the bounds that `message` names."),
    _U.TOO_LONG: ("A text or list is too long.", "Shorten it."),
    _U.UNKNOWN_VALUE: ("A value is none of those that exist.", "Choose one of `allowedValues`."),
    _U.NOT_FOUND: (
        "An id names nothing that you can see: absent, of another type or of another organization.",
        "Drop the `ids` of the error.",
    ),
    _U.FORBIDDEN: ("You may not do this to this object.", "Ask somebody with the role that `message` names."),
    _U.VERSION_CONFLICT: ("Somebody changed the lead since you read it.", "Read it again, send `currentVersion`."),
    _U.DUPLICATE: ("The same thing exists, or is named twice.", "Choose another name, or drop one of the two."),
    _U.IDEMPOTENCY_MISMATCH: ("This idempotency key came with another input before.", "Use a new key for new input."),
    _U.COUNT_CHANGED: ("The filter matches another number of leads than expected.", "Look again, send the new count."),
    _U.PLAN_STALE: ("The plan of the import was made anew since.", "Review it again, send `currentPlanRevision`."),
    _U.WRONG_STATE: ("The job's `state` does not allow this.", "`actions` of a job lists what can be done."),
    _U.LIMIT_EXCEEDED: ("A limit was passed.", "Stay under `limit`; wait `retryAfterSeconds` where it is given."),
    _U.RATE_LIMITED: ("Too much was asked in a short time.", "Wait `retryAfterSeconds`."),
    _U.UNSUPPORTED_FORMAT: ("Files of this kind cannot be imported.", "Send CSV, XLSX, JSON or JSON Lines."),
    _U.UNREADABLE_FILE: ("The file cannot be read.", "Read `message`, mend the file, upload it again."),
    _U.UNSAFE_FILE: ("The file could harm whoever opens it (a bomb, macros, encryption).", "Save it anew."),
    _U.SAME_FILE: ("The same bytes were imported before.", "Send `allowSameFile: true` if that is meant."),
    _U.EXPIRED: ("Its time is over.", "Make a new one."),
    _U.NOT_REVERTIBLE: ("The import cannot be undone (any more).", "Read `message`."),
    _U.NOT_RETRYABLE: ("The job would fail again.", "Mend what `failure` names and start a new job."),
}

JOB_FAILURES: Final[Mapping[JobFailureCode, Meaning]] = {
    _J.UNREADABLE_FILE: ("The file cannot be read, or is no longer kept.", "Mend it, upload it again."),
    _J.UNSAFE_FILE: ("Reading the file would take more memory than is allowed.", "Save it anew, or split it."),
    _J.TOO_MANY_ERRORS: (
        "`onError: ABORT` met a row with an error; nothing was imported.",
        "Mend the rows that `issues` name.",
    ),
    _J.LIMIT_EXCEEDED: ("A limit of rows, bytes or time was passed.", "Split the work."),
    _J.STORAGE_UNAVAILABLE: ("The file store did not answer.", "`retryJob`, where `failure.retryable`."),
    _J.DATABASE_UNAVAILABLE: ("The database did not answer.", "`retryJob`, where `failure.retryable`."),
    _J.INTERNAL: (
        "A fault of the server, or of the machine that ran the job.",
        "Report `correlationId`; `retryJob` where `failure.retryable`.",
    ),
}

ISSUES: Final[Mapping[ImportIssueCode, Meaning]] = {
    _I.REQUIRED: ("A required cell is empty.", "Fill it, or give a default."),
    _I.INVALID_PHONE: (
        "No valid phone number.",
        "A warning, the phone is kept as written; an error where `mustBeValid` lists PHONE.",
    ),
    _I.INVALID_EMAIL: (
        "No valid e-mail address.",
        "A warning, the text is kept as written; an error where `mustBeValid` lists EMAIL.",
    ),
    _I.INVALID_NUMBER: ("No number, or not a whole one.", "Write 85, 85.0 or 1e2; check `dialect.decimalMark`."),
    _I.INVALID_DATE: ("No date, or one too far away.", "Check `dialect.dateOrder`."),
    _I.INVALID_BOOLEAN: ("Neither yes nor no.", "Write yes, no, true, false, 1 or 0."),
    _I.OUT_OF_RANGE: ("The number is outside its bounds.", "`leadFields` names minimum and maximum."),
    _I.TOO_LONG: ("The text or list is too long.", "`leadFields` names `maxLength`."),
    _I.UNKNOWN_VALUE: ("The value is none of those that exist.", "Map it by `mapping.values`; see `suggestion`."),
    _I.UNKNOWN_REFERENCE: ("A company, chatbot, user or lead is named that does not exist.", "Make it first."),
    _I.DUPLICATE_IN_FILE: ("An earlier row of the file has the same key.", "Nothing: the strategy decided."),
    _I.DUPLICATE_EXISTING: ("There is a lead with the same key already.", "Nothing: the strategy decided."),
    _I.AMBIGUOUS_MATCH: ("Several leads have this key.", "Add the lead's id to the row."),
    _I.VERSION_CONFLICT: ("The lead changed since the file or plan was made.", "Export it again."),
    _I.COLUMN_COUNT: (
        "The row has more cells than the header (an error) or fewer (a warning, the rest is empty).",
        "Check quotes and delimiters of the line.",
    ),
    _I.BAD_ENCODING: ("Bytes that the encoding does not know.", "Name the encoding in `dialect`."),
    _I.CONTROL_CHARACTER: ("Characters that no text holds were removed.", "Nothing: a warning."),
    _I.SCIENTIFIC_NOTATION: ("A spreadsheet wrote a phone as 4.91E+11 and lost its digits.", "Format it as text."),
    _I.CONSTRAINT: ("The database does not take a value of the row.", "Report it with the row."),
}

TOP_LEVEL: Final[Mapping[str, Meaning]] = {
    "BAD_REQUEST": ("The HTTP request is no GraphQL request.", "See GraphQL over HTTP."),
    "BAD_USER_INPUT": (
        "An argument or variable is wrong; `extensions.inputPath` leads to it, `allowedValues` lists what would do.",
        "Mend it.",
    ),
    "CSRF": (
        "A browser could send this request from a foreign page.",
        "Use `Content-Type: application/json`, or add the header `GraphQL-Preflight: 1`.",
    ),
    "FORBIDDEN": ("Your credential lacks the permission that the message names.", "Use another one."),
    "GRAPHQL_PARSE_FAILED": ("The document is no GraphQL.", "Mend it where `locations` says."),
    "GRAPHQL_VALIDATION_FAILED": ("The document does not fit the schema.", "Mend it where `locations` says."),
    "INTERNAL": ("A fault of the server.", "Report `extensions.correlationId`: the server's log has it."),
    "LIMIT_EXCEEDED": ("The request is too large, too deep or too costly.", "Ask for less at once."),
    "OPERATION_RESOLUTION_FAILURE": ("It is not clear which operation to run.", "Send `operationName`."),
    "RATE_LIMITED": ("Too much was asked in a short time.", "Wait as long as `Retry-After` says."),
    "TIMEOUT": ("The operation took too long.", "Ask for less at once, or narrow the filter."),
    "UNAUTHENTICATED": ("No credential, or one that is not valid (any more).", "Send a bearer token or API key."),
}
