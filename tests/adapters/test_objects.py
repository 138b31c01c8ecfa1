"""Buckets: objects as streams, and what went wrong in words a caller can act on."""

from __future__ import annotations

import csv
import io
import lzma
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from moto import mock_aws

from betimes.adapters.objects import Bucket
from betimes.core.errors import Rejected, Unavailable


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="files")
        yield client


@pytest.fixture
def bucket(s3: Any) -> Bucket:
    return Bucket(s3, "files")


class Broken:
    """An S3 that answers, and whose connection breaks while the body is read."""

    closed = False

    def get_object(self, **request: Any) -> dict[str, Any]:
        return {"Body": self}

    def read(self, size: int) -> bytes:
        raise ReadTimeoutError(endpoint_url="s3")

    def close(self) -> None:
        self.closed = True


class Failing:
    """An S3 that fails every call in the same way."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def _fail(self, **request: Any) -> Any:
        raise self.error

    get_object = put_object = head_object = _fail


def test_a_compressed_table_is_read_as_it_streams(bucket: Bucket) -> None:
    """The stream of an object feeds decompressor and csv reader, also beyond one buffer."""
    rows = [["id", "amount"], *([f"o{n}", f"{n * 7919}"] for n in range(20_000))]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    bucket.put("inbox/t/bills.csv.xz", lzma.compress(text.getvalue().encode()), "application/x-xz")

    with bucket.open("inbox/t/bills.csv.xz") as raw, lzma.open(raw) as plain:
        assert list(csv.reader(io.TextIOWrapper(plain, newline=""))) == rows


def test_a_large_object_comes_back_whole(bucket: Bucket) -> None:
    """All bytes come back in order, and the reader is at its end afterwards."""
    data = bytes(range(256)) * 8192
    bucket.put("big", data, "application/octet-stream")

    with bucket.open("big") as stream:
        assert stream.read(3) == data[:3]
        assert stream.read() == data[3:]
        assert stream.read() == b""


def test_what_was_put_has_its_type_and_exists(s3: Any, bucket: Bucket) -> None:
    """An object exists after it was put, with the content type given, and not before."""
    assert not bucket.exists("reports/2026-03-09.json")

    bucket.put("reports/2026-03-09.json", b"{}", "application/json")

    assert bucket.exists("reports/2026-03-09.json")
    stored = s3.head_object(Bucket="files", Key="reports/2026-03-09.json")
    assert stored["ContentType"] == "application/json"


def test_a_missing_object_is_the_callers_mistake(bucket: Bucket) -> None:
    """Opening what is not there is rejected with a code."""
    with pytest.raises(Rejected) as caught:
        bucket.open("inbox/none.csv")

    assert caught.value.code == "no_such_object"


def test_a_missing_bucket_is_our_mistake(s3: Any) -> None:
    """A wrong bucket is an error of the deployment, not of the caller."""
    with pytest.raises(AssertionError):
        Bucket(s3, "other").open("key")


def test_a_connection_that_breaks_while_reading_is_unavailable() -> None:
    """A stream that breaks off does not look like the end of the object, and is closed."""
    client = Broken()

    with pytest.raises(Unavailable), Bucket(client, "files").open("key") as stream:
        stream.read()

    assert client.closed


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="s3"),
        ClientError({"Error": {"Code": "SlowDown"}}, "GetObject"),
    ],
)
def test_an_s3_that_cannot_answer_is_unavailable(error: Exception) -> None:
    """Each of the three calls says "later" when S3 does, or when nobody answers."""
    bucket = Bucket(Failing(error), "files")

    with pytest.raises(Unavailable):
        bucket.open("key")
    with pytest.raises(Unavailable):
        bucket.put("key", b"", "text/plain")
    with pytest.raises(Unavailable):
        bucket.exists("key")
