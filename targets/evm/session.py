"""HTTP to a node that may misbehave: its whole answer has to be there in time, and has a largest size."""

from __future__ import annotations

import time
from typing import Any

import requests
from urllib3.exceptions import HTTPError

MOST_BYTES = 128 * 2**20
"""Of one answer. As JSON in memory it takes several times as much."""

AT_ONCE = 2**16
"""Bytes that are read at once."""


class NodeSession(requests.Session):
    """A session whose requests end, with an error of `requests`, `seconds` after they began at the latest.

    The time-out of `requests` is for each read: a byte a second would keep one waiting for ever.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send a request and read the answer."""
        end, content = time.monotonic() + self._seconds, bytearray()
        response = super().send(request, **{**options, "stream": True})
        try:
            while part := response.raw.read1(AT_ONCE, decode_content=True):
                content += part
                if len(content) > MOST_BYTES:
                    raise requests.exceptions.ConnectionError(f"an answer of more than {MOST_BYTES >> 20} MiB")
                if time.monotonic() > end:
                    raise requests.exceptions.ReadTimeout(f"no whole answer in {self._seconds:.0f} s")
        except HTTPError as error:
            raise requests.exceptions.ConnectionError(str(error)) from None
        finally:
            response.close()
        response._content = bytes(content)
        return response
