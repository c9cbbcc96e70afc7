"""The slow twin of the spans kernel: what it must find, taken from the parser's objects."""

from __future__ import annotations

from sipanalyzer.errors import ParseError
from sipanalyzer.sip.message import Response
from sipanalyzer.sip.parser import parse_message
from sipanalyzer.sip.uri import Address, split_address


def values_of(data: bytes, *, truncated: bool = False) -> dict[str, object] | None:
    """What the kernel must find in a message, as text; None for a message that is malformed."""
    try:
        message = parse_message(data, truncated=truncated)
    except ParseError:
        return None
    is_response = isinstance(message, Response)
    sender, receiver = _address(message.header("From")), _address(message.header("To"))
    length = message.content_length
    return {
        "status": message.status if isinstance(message, Response) else 0,
        "method": message.cseq.method if isinstance(message, Response) else message.method,
        "request_uri": None if isinstance(message, Response) else message.uri,
        "reason": (message.reason or None) if isinstance(message, Response) else None,
        "call_id": message.call_id,
        "from_uri": sender.uri or None,
        "from_tag": sender.tag,
        "to_uri": receiver.uri or None,
        "to_tag": receiver.tag,
        "branch": _address(message.header("Via"), is_list=True).params.get("branch") or None,
        "cseq": -1 if message.cseq.number is None else message.cseq.number,
        "cseq_method": message.cseq.method,
        "contact": _address(message.header("Contact"), is_list=True).uri or None,
        "user_agent": message.user_agent,
        "content_type": message.content_type,
        "content_length": -1 if length is None else length,
        "body": message.body,
        "is_response": is_response,
    }


def intern(strings: list[bytes]) -> list[int]:
    """Numbers for equal strings, in order of first sight; -1 for an empty one."""
    numbers: dict[bytes, int] = {}
    return [numbers.setdefault(string, len(numbers)) if string else -1 for string in strings]


def _address(value: str | None, *, is_list: bool = False) -> Address:
    return split_address(value or "", is_list=is_list)
