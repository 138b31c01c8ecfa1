"""A bucket of S3: files that come in, results and evidence that go out."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from betimes.adapters.failures import failure
from betimes.core.errors import Rejected

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# Bytes taken from S3 at a time.
BUFFER: Final = 256 * 1024
# GetObject names the missing key; HeadObject has no body and gives the bare status.
_MISSING: Final = frozenset({"NoSuchKey", "404"})


class Bucket:
    """One bucket."""

    def __init__(self, client: Any, name: str) -> None:
        """Read and write through an S3 `client` that may repeat its calls."""
        self._client = client
        self._name = name

    def open(self, key: str) -> io.BufferedReader:
        """Return the object's bytes as a stream, read as it is consumed; the caller closes it.

        Reading from the stream raises Unavailable when the connection breaks; then open it again
        and start over.

        Raises:
            Rejected: code "no_such_object".
            Unavailable: S3 cannot answer now.
            AssertionError: the call or the deployment is wrong; also a missing key, where listing
                is not permitted.
        """
        try:
            answer = self._client.get_object(Bucket=self._name, Key=key)
        except (ClientError, BotoCoreError) as error:
            if _is_missing(error):
                raise Rejected("no_such_object", "key", f"there is no object {key!r}") from None
            raise failure(error) from error
        return io.BufferedReader(_Body(answer["Body"]), BUFFER)

    def put(self, key: str, data: bytes, content_type: str) -> None:
        """Store the object, or a new version of it; the same put twice leaves the same content.

        Raises:
            Unavailable: S3 cannot answer now; the object may be stored, and the same put may be
                repeated.
            AssertionError: the call or the deployment is wrong.
        """
        try:
            self._client.put_object(Bucket=self._name, Key=key, Body=data, ContentType=content_type)
        except (ClientError, BotoCoreError) as error:
            raise failure(error) from error

    def exists(self, key: str) -> bool:
        """Return whether the object exists; raises as `size` does."""
        return self.size(key) is not None

    def size(self, key: str) -> int | None:
        """Return the object's size in bytes, None if there is no such object.

        Raises:
            Unavailable: S3 cannot answer now.
            AssertionError: the deployment is wrong; also a missing key, where listing is not
                permitted.
        """
        try:
            found = self._client.head_object(Bucket=self._name, Key=key)
        except (ClientError, BotoCoreError) as error:
            if _is_missing(error):
                return None
            raise failure(error) from error
        return int(found["ContentLength"])


def _is_missing(error: ClientError | BotoCoreError) -> bool:
    return isinstance(error, ClientError) and error.response["Error"]["Code"] in _MISSING


class _Body(io.RawIOBase):
    """botocore's body as a raw stream, its errors turned into ours."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        try:
            data: bytes = self._body.read(len(view))
        except (ClientError, BotoCoreError) as error:
            raise failure(error) from error
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._body.close()
        super().close()
