"""The guard around all tests: no request leaves this machine."""

from __future__ import annotations

import os
import socket

import pytest

from tests.conftest import LeftThisMachine


def test_no_connection_leaves_this_machine() -> None:
    """An address elsewhere is refused before a packet goes out (192.0.2.0/24 is reserved for documentation)."""
    with socket.socket() as stranger, pytest.raises(LeftThisMachine):
        stranger.connect(("192.0.2.1", 443))
    with socket.socket() as stranger, pytest.raises(LeftThisMachine):
        stranger.connect_ex(("192.0.2.1", 443))


def test_no_name_is_looked_up() -> None:
    """An AWS client without an emulator behind it fails at once."""
    with pytest.raises(LeftThisMachine):
        socket.create_connection(("dynamodb.us-east-1.amazonaws.com", 443), timeout=1)


def test_no_profile_is_read() -> None:
    """Credentials are dummies, and the files of whoever runs the tests are out of reach."""
    assert os.environ["AWS_ACCESS_KEY_ID"] == "testing"
    assert os.environ["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert "AWS_PROFILE" not in os.environ
