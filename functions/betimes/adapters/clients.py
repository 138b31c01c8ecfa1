"""Where every AWS client is made, so that its patience is decided in one place.

A client that sends makes exactly one attempt: a slow provider must not get the same message three
times. Every other client repeats what failed for a moment, as AWS advises (standard mode: three
attempts, backing off).
"""

from __future__ import annotations

from typing import Any

from betimes.config import CONNECT_TIMEOUT_S, READ_TIMEOUT_S


def client(
    service: str, *, region: str | None = None, endpoint: str | None = None, sends: bool = False
) -> Any:
    """Return a boto3 client of `service`; `sends` for one whose calls must never be repeated.

    Region and endpoint come from the environment where they are not given (AWS_REGION,
    AWS_ENDPOINT_URL).
    """
    # Imported here: whatever never makes a client, above all the command line, starts in a third of the time.
    import boto3
    from botocore.config import Config

    retries = {"total_max_attempts": 1} if sends else {"mode": "standard"}
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        config=Config(
            retries=retries, connect_timeout=CONNECT_TIMEOUT_S, read_timeout=READ_TIMEOUT_S
        ),
    )
