"""What may be typed behind server.py."""

import argparse
from pathlib import Path
from typing import Final, TypeVar

from domain.presets import Preset
from domain.vocabulary import Role

__all__ = ["TOKEN_DAYS", "parse"]

TOKEN_DAYS: Final = 30
Named = TypeVar("Named", Preset, Role)


def parse(arguments: list[str]) -> argparse.Namespace:
    """The arguments by name, `command` among them; exits with a usage line where they are not understood."""
    parser = argparse.ArgumentParser(prog="server.py", description="Leads in, leads out.")
    parser.set_defaults(host=None, port=None)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    _serve(_add(commands, "serve", "the web server with a worker inside"))
    _add(commands, "worker", "a worker alone")
    _add(commands, "migrate", "bring the database to this version's tables")
    _add(commands, "seed", "make the demo organization")
    _organization(_add(commands, "organization", "make an empty organization"))
    _token(_add(commands, "token", "print a bearer token"))
    _add(commands, "check", "verify settings, database and storage")
    return parser.parse_args(arguments)


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",  # pyright: ignore[reportPrivateUsage] - argparse has no other name for it
    name: str,
    summary: str,
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=summary, description=summary)
    command.add_argument("--data-dir", type=Path, help="folder of the embedded database (.data)")
    return command


def _serve(command: argparse.ArgumentParser) -> None:
    command.add_argument("--host", help="address to listen at (127.0.0.1)")
    command.add_argument("--port", type=int, help="port to listen at (8000)")


def _organization(command: argparse.ArgumentParser) -> None:
    command.add_argument("slug", help="its short name, such as acme")
    command.add_argument("--name", help="its name (the slug)")
    command.add_argument("--country", type=str.upper, default="US", help="whose phones have no calling code (US)")
    command.add_argument("--time-zone", default="UTC", help="in which it reads and writes dates (UTC)")
    command.add_argument("--preset", type=_preset, default=Preset.STANDARD, help=_names(Preset, Preset.STANDARD))


def _token(command: argparse.ArgumentParser) -> None:
    command.add_argument("--organization", required=True, help="the slug")
    command.add_argument("--role", type=_role, required=True, help=_names(Role))
    command.add_argument("--subject", help="whose it is (the role)")
    command.add_argument("--name", help="their name (the subject)")
    command.add_argument("--days", type=float, default=TOKEN_DAYS, help=f"how long it is good ({TOKEN_DAYS})")


def _preset(text: str) -> Preset:
    return _member(Preset, text)


def _role(text: str) -> Role:
    return _member(Role, text)


def _member(kind: type[Named], text: str) -> Named:
    try:
        return kind(text.upper().replace("-", "_"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is none of {', '.join(kind)}") from None


def _names(kind: type[Preset] | type[Role], default: Preset | None = None) -> str:
    return ", ".join(kind) + (f" ({default})" if default else "")
