"""ministack as a process of the test run, in an environment of its own, on loopback."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCAL = Path(__file__).resolve().parents[2] / ".local"
PYTHON = LOCAL / "ministack" / "bin" / "python"
REGION = "us-east-1"
START_S = 20.0
STOP_S = 10.0


@contextmanager
def running() -> Iterator[str]:
    """Start ministack on a free port and yield its URL; it is stopped by its id, its files are removed."""
    folder = Path(tempfile.mkdtemp(prefix="contracts-", dir=LOCAL))
    port = _free_port()
    # Its functions would inherit this environment, so nothing of ours is in it.
    environment = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "MINISTACK_ACCOUNT_ID": "000000000000",
        "MINISTACK_REGION": REGION,
        "TMPDIR": str(folder),
    }
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(PYTHON), "-m", "ministack"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/_ministack/health", process, log)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.05)
    raise RuntimeError(f"ministack did not start:\n{log.read_text(errors='replace')[-2000:]}")
