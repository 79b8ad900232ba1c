"""The one error that callers of the launcher handle."""


class EmbeddedPostgresError(RuntimeError):
    """The embedded PostgreSQL cannot be used; the message is one line that says why."""
