"""What is known of the tenants' own servers, in memory."""

from __future__ import annotations

from betimes.core.endpoints import Endpoint
from betimes.core.errors import Stale


class MemoryEndpoints:
    """See `ports.Endpoints`."""

    def __init__(self) -> None:
        self._endpoints: dict[str, Endpoint] = {}

    def endpoint(self, tenant: str) -> Endpoint:
        """See `ports.Endpoints.endpoint`."""
        return self._endpoints.get(tenant, Endpoint(tenant))

    def save(self, endpoint: Endpoint) -> None:
        """See `ports.Endpoints.save`."""
        if endpoint.version != self.endpoint(endpoint.tenant).version + 1:
            raise Stale
        self._endpoints[endpoint.tenant] = endpoint
