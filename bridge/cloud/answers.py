"""What may be concluded from Meta's answers (design: the Cloud API).

*Not sent* is concluded only when nothing was written, or when Meta refuses in its own words. A 200 says that it was taken,
which a webhook will make *sent* or *failed*. Everything else is in doubt for good: Meta cannot be asked about a message, so
only a webhook that repeats our key tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bridge.cloud.graph import Answer, NoAnswer, Told
from bridge.protocol import Accepted, BridgeAwayError, BridgeRefusedError, InDoubt, NotSent, SendResult
from domain.cloud_codes import Meaning, meaning
from domain.failures import DEVICE_CODES
from domain.phone import masked

_KEPT_TEXT: Final = 300  # characters of Meta's words that are kept
_NO_SUCH_OBJECT: Final = 33  # the subcode of 100 for an id that does not exist, or that the token may not see
_LONGEST_WAIT_S: Final = 3600.0  # that an answer can make a number wait: what is wrong for longer, another try tells
_NOT_THERE: Final = Meaning("not_registered", retryable=True)
_TIMED_OUT: Final = 408


class NothingToldError(BridgeAwayError):
    """Meta answers, and does not say what it was asked: that it is away it does not say either."""


@dataclass(frozen=True, slots=True)
class GraphError:
    """An error in Meta's own words."""

    code: int
    subcode: int | None
    words: str

    @property
    def meaning(self) -> Meaning:
        """In our terms. An address that Meta does not know is not the message's fault."""
        nowhere = self.code == 100 and self.subcode == _NO_SUCH_OBJECT
        return _NOT_THERE if nowhere else meaning(self.code)


def error_of(answer: Answer, *secrets: str) -> GraphError | None:
    """The error in an answer; None when it is no error of Graph's, for instance a proxy's page.

    ``secrets`` are taken out of its words: Meta repeats a token that it cannot read.
    """
    told = answer.body.get("error")
    if not isinstance(told, dict) or not isinstance(told.get("code"), int) or isinstance(told["code"], bool):
        return None
    data = told.get("error_data")
    details = data.get("details") if isinstance(data, dict) else None
    words = str(details or told.get("error_user_msg") or told.get("message") or f"error {told['code']}")
    for secret in filter(None, secrets):
        words = words.replace(secret, masked(secret))
    subcode = told.get("error_subcode")
    return GraphError(told["code"], subcode if isinstance(subcode, int) else None, words[:_KEPT_TEXT])


def conclude(told: Told, to: str, token: str) -> SendResult:
    """What became of a message to ``to`` (digits)."""
    if isinstance(told, NoAnswer):
        if not told.written:
            return NotSent("bridge_unreachable", "Meta does not answer", "refused", retryable=True)
        return InDoubt("send_timeout" if told.late else "no_answer", told.reason, final=True)
    error = error_of(told, token, to)
    if error is None:
        return _taken(told, to)
    # Meta's own faults may come after it has taken the message. A refusal of the number itself does not, whatever its status
    # (3 and 131045 have 500): left in doubt, a lost permission would put a whole campaign there.
    found = error.meaning
    if _own_fault(told, found) and found.code not in DEVICE_CODES:
        return InDoubt("provider_error", error.words, final=True)
    wait_s = found.wait_s
    if wait_s is not None and told.retry_after_s is not None:
        wait_s = min(max(told.retry_after_s, wait_s), _LONGEST_WAIT_S)
    return NotSent(found.code, error.words, "answer", retryable=found.retryable, retry_after_s=wait_s)


def _own_fault(answer: Answer, found: Meaning) -> bool:
    """Whether something went wrong at Meta, instead of being refused. Some of these have a status that says refused."""
    return not 400 <= answer.status < 500 or answer.status == _TIMED_OUT or found.code == "whatsapp_failed"


def _taken(answer: Answer, to: str) -> SendResult:
    if answer.status != 200:
        return InDoubt("provider_error", f"HTTP {answer.status}, and not in Meta's words", final=True)
    try:
        provider_message_id = answer.body["messages"][0]["id"]
        asked = [contact.get("input", to) for contact in answer.body.get("contacts") or ()]
    except (KeyError, IndexError, TypeError, AttributeError):
        provider_message_id, asked = None, []
    if not isinstance(provider_message_id, str) or not provider_message_id:
        return InDoubt("provider_error", "unreadable answer", final=True)
    if any(str(each).lstrip("+") != to for each in asked):
        return InDoubt("no_answer", "the answer is another message's", final=True)
    return Accepted(provider_message_id)


def uploaded(told: Told, token: str) -> str | NotSent:
    """Meta's id of a file. Whatever went wrong, no message was sent."""
    if isinstance(told, NoAnswer) and not told.written:
        return NotSent("bridge_unreachable", "Meta does not answer", "refused", retryable=True)
    if isinstance(told, NoAnswer):
        return NotSent("whatsapp_failed", f"no answer to the file: {told.reason}", "refused", retryable=True)
    error = error_of(told, token)
    if error is not None and error.code == 100:  # a kind of file that Meta does not take has no code of its own
        return NotSent("unsupported_media", error.words, "answer", retryable=False)
    if error is not None and (400 <= told.status < 500 or error.meaning.code in DEVICE_CODES):
        found = error.meaning
        return NotSent(found.code, error.words, "answer", retryable=found.retryable, retry_after_s=found.wait_s)
    if told.status == 413:
        return NotSent("too_large", "Meta does not take so large a file", "answer", retryable=False)
    if told.status == 200 and isinstance(told.body.get("id"), str) and told.body["id"]:
        return str(told.body["id"])
    reason = f"HTTP {told.status}, and not in Meta's words" if error is None else error.words
    return NotSent("whatsapp_failed", reason, "refused", retryable=True)


def read(told: Told, token: str) -> Answer:
    """A good answer to anything but a send. Raises BridgeAwayError when Meta does not answer, has a fault of its own or no
    time for us now, and BridgeRefusedError, with one of our codes, when it refuses."""
    if isinstance(told, NoAnswer):
        raise BridgeAwayError("bridge_unreachable", "Meta does not answer")
    error = error_of(told, token)
    if error is None and told.status == 200:
        return told
    if error is None:
        raise BridgeAwayError("bridge_unreachable", f"Meta is not there: HTTP {told.status}, and not in its words")
    code = error.meaning.code
    if told.status >= 500 and code not in DEVICE_CODES:
        raise BridgeAwayError("bridge_unreachable", f"Meta has no answer now: {error.words}")
    if code in ("throttled", "whatsapp_failed"):
        raise NothingToldError("bridge_unreachable", f"Meta has no answer now: {error.words}")
    raise BridgeRefusedError(told.status, code, error.words)
