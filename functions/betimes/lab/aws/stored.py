"""The pretend S3 and Secrets Manager: objects by bucket and key, secrets by name."""

from __future__ import annotations

import io
from typing import Any

from betimes.lab.aws.errors import refusal
from betimes.lab.aws.service import Parameters, Service, operation


class Objects(Service):
    """All buckets; a put replaces what stood there."""

    def __init__(self) -> None:
        self.buckets: dict[str, dict[str, bytes]] = {}
        operations = {
            "put_object": operation(self._put, "Bucket Key Body ContentType"),
            "get_object": operation(self._get, "Bucket Key"),
            "head_object": operation(self._head, "Bucket Key"),
        }
        self.offered = {"s3": operations}

    def make(self, bucket: str) -> None:
        """Make an empty bucket."""
        self.buckets[bucket] = {}

    def kept(self) -> object:
        """See `Service.kept`."""
        return {name: dict(objects) for name, objects in self.buckets.items()}

    def restore(self, kept: Any) -> None:
        """See `Service.restore`."""
        self.buckets = {name: dict(objects) for name, objects in kept.items()}

    def _bucket(self, operation: str, asked: Parameters) -> dict[str, bytes]:
        found = self.buckets.get(asked["Bucket"])
        if found is None:
            raise refusal(operation, "NoSuchBucket", "The specified bucket does not exist", 404)
        return found

    def _put(self, asked: Parameters) -> dict[str, Any]:
        self._bucket("put_object", asked)[asked["Key"]] = bytes(asked["Body"])
        return {}

    def _get(self, asked: Parameters) -> dict[str, Any]:
        found = self._bucket("get_object", asked).get(asked["Key"])
        if found is None:
            message = "The specified key does not exist."
            raise refusal("get_object", "NoSuchKey", message, 404)
        return {"Body": io.BytesIO(found), "ContentLength": len(found)}

    def _head(self, asked: Parameters) -> dict[str, Any]:
        found = self._bucket("head_object", asked).get(asked["Key"])
        if found is None:
            # The answer to HEAD has no body, hence no code: botocore gives the status.
            raise refusal("head_object", "404", "Not Found", 404)
        return {"ContentLength": len(found)}


class Secrets(Service):
    """All secrets by their name or ARN."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        operations = {"get_secret_value": operation(self._get, "SecretId")}
        self.offered = {"secretsmanager": operations}

    def kept(self) -> object:
        """See `Service.kept`."""
        return dict(self.texts)

    def restore(self, kept: Any) -> None:
        """See `Service.restore`."""
        self.texts = dict(kept)

    def _get(self, asked: Parameters) -> dict[str, Any]:
        text = self.texts.get(asked["SecretId"])
        if text is None:
            message = "Secrets Manager can't find the specified secret."
            raise refusal("get_secret_value", "ResourceNotFoundException", message)
        return {"SecretString": text}
