"""The tables of the whole contract, partitions by month, and the dispatcher's queue."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None

FOLDER = Path(__file__).parent


def upgrade() -> None:
    # without parameters the driver takes % and : as they are
    connection = op.get_bind().execution_options(no_parameters=True)
    path = connection.exec_driver_sql("show search_path").scalar_one()
    connection.exec_driver_sql((FOLDER / "0001_store.sql").read_text())
    connection.exec_driver_sql("set local search_path = queue")
    connection.exec_driver_sql((FOLDER / "0001_procrastinate.sql").read_text())
    connection.exec_driver_sql((FOLDER / "0001_queue.sql").read_text())
    connection.exec_driver_sql(f"set local search_path = {path}")
