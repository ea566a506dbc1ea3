"""Whether a request without an answer can have reached anybody: what every conclusion *not sent* without one rests on."""

from __future__ import annotations

import ssl

import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError, SSLError


def nothing_was_written(error: requests.RequestException) -> bool:
    """Whether the connection was never made, or never trusted, so that no byte of the request can have left."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    if not isinstance(cause, MaxRetryError):
        return False
    if isinstance(cause.reason, SSLError):
        return any(isinstance(reason, ssl.SSLCertVerificationError) for reason in cause.reason.args)
    return isinstance(cause.reason, NewConnectionError)
