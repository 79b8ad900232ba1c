"""What a benchmark measured: a row a comparison, the same in `JSON=file` and in the tables of the documentation."""

from collections.abc import Mapping

__all__ = ["COPY", "OURS", "Figures", "Row", "compared", "figures_of"]

Row = dict[str, object]
Figures = dict[str, float]
OURS = "leadport"
COPY = "psql \\copy"


def compared(work: str, subject: str, reference: str, ratio: float, figures: Mapping[str, float]) -> Row:
    """The row, after telling it."""
    rounded = {name: round(value, 2 if value > 1 else 4) for name, value in figures.items()}
    shown = ", ".join(f"{name} {value:,}" for name, value in rounded.items())
    print(f"{work}, {subject}: {ratio:.2f} times {reference}; {shown}", flush=True)
    return {"work": work, "subject": subject, "reference": reference, "ratio": round(ratio, 3), "figures": rounded}


def figures_of(row: Row) -> Figures:
    """The figures of a row."""
    figures = row["figures"]
    assert isinstance(figures, dict)
    return figures
