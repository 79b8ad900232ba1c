"""SeaweedFS: an S3-compatible object store that checks signatures and their ends, in a process of its own."""

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ACCESS_KEY, SECRET_KEY = "leadport", "leadport-secret"
READY_SECONDS = 40


@dataclass(frozen=True)
class ObjectStore:
    """`options` are those of LEADPORT_STORAGE_OPTIONS."""

    endpoint: str
    bucket: str = "leads"

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/files"

    @property
    def options(self) -> dict[str, str]:
        return {
            "endpoint": self.endpoint,
            "access_key_id": ACCESS_KEY,
            "secret_access_key": SECRET_KEY,
            "region": "us-east-1",
            "virtual_hosted_style_request": "false",
        }


@contextmanager
def seaweed() -> Iterator[ObjectStore]:
    """A running store, empty."""
    folder = Path(tempfile.mkdtemp(prefix="leadport-seaweed-"))
    credentials = [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    identities = {"identities": [{"name": "tests", "credentials": credentials, "actions": actions}]}
    (folder / "s3.json").write_text(json.dumps(identities))
    ports = iter(_free_ports(8))
    master, volume, filer, s3 = (next(ports) for _ in range(4))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                str(Path(sys.executable).with_name("weed")),
                *("server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
                *(f"-master.port={master}", f"-volume.port={volume}", f"-volume.port.grpc={next(ports)}"),
                *(f"-master.port.grpc={next(ports)}", "-filer", f"-filer.port={filer}"),
                *(f"-filer.port.grpc={next(ports)}", "-s3", f"-s3.port={s3}", f"-s3.port.grpc={next(ports)}"),
                *(
                    f"-s3.config={folder}/s3.json",
                    "-s3.port.iceberg=0",
                    "-s3.port.lance=0",
                    "-master.volumeSizeLimitMB=64",
                    "-volume.max=20",
                ),
            ],
            stdout=log,
            stderr=log,
            cwd=folder,
        )
    try:
        _wait_until_it_answers(f"http://127.0.0.1:{s3}", process, folder / "log")
        yield ObjectStore(f"http://127.0.0.1:{s3}")
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)


def _wait_until_it_answers(endpoint: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(endpoint, timeout=2)
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError(f"the object store did not start:\n{log.read_text(errors='replace')[-2000:]}")


def _free_ports(count: int) -> list[int]:
    """Different ones: all are held until all are known."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
