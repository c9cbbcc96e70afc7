"""Text messages of the pager model (RFC 3428). Floor 5.

Owns: the table of pages. In: messages and transactions. Out: one `Page` for each MESSAGE transaction, inside a dialog
or not, at every hop that was captured. Sources: RFC 3428, RFC 3862 (message/cpim), RFC 5438 (message/imdn+xml, which
is a receipt and no text).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence

from ..facts import Page
from ..result import TRANSPORTS, Messages, Transaction
from ..sip.header import SPACE, find_header, parameters, read_headers, split_head
from ..sip.multipart import PARTS, BodyPart, PartLimits, split_body
from .nearest import transactions_of

__all__ = ["LIMIT_BYTES", "TEXT_LIMIT", "find_pages"]

LIMIT_BYTES = 1300
"""Largest MESSAGE request where the transport does not control congestion (RFC 3428 section 8)."""
TEXT_LIMIT = 4096
"""Characters of a text that are kept."""

_MAX_DATAGRAM = 65_535
_CHARSETS = re.compile(
    r"utf-?(?:8|16|32)(?:-?[bl]e)?|us-ascii|ascii|latin-?1|iso-?8859-[0-9]{1,2}|(?:windows-|cp)12[0-9]{2}|gb2312|gbk|gb18030|"
    r"big5|shift[-_]jis|euc-(?:jp|kr)|iso-2022-(?:jp|kr)|koi8-[ru]|tis-620"
)
"""Charsets that are decoded: Python also knows codecs that are none, and some that take long."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def find_pages(messages: Messages, transactions: Sequence[Transaction], limits: PartLimits = PARTS) -> list[Page]:
    """Make the pages.

    Parameters
    ----------
    messages : Messages
        In order of time.
    transactions : sequence of Transaction
        All, in order of their first request.
    limits : PartLimits
        How far bodies are taken apart.

    Returns
    -------
    list of Page
        In order of time. `delivery_ms` is missing where the final response is no 2xx; `status_code` where there is
        none.
    """
    return [_page(messages, each, limits) for each in transactions_of(messages, transactions, ("MESSAGE",))]


def _page(messages: Messages, transaction: Transaction, limits: PartLimits) -> Page:
    row = transaction.rows[0]
    body_bytes = int(messages.body_length[row])
    request_bytes = int(messages.length[row])
    declared = int(messages.content_length[row])
    missing = declared - body_bytes
    if messages.truncated[row] and missing > 0 and request_bytes + missing <= _MAX_DATAGRAM:
        # the capture was cut: the header says how long it was
        request_bytes += missing
        body_bytes = declared
    transport = TRANSPORTS[int(messages.transport[row])]
    final = transaction.final_response
    status = None if final is None else transaction.status_code
    delivered = final is not None and status is not None and 200 <= status < 300
    return Page(
        time=transaction.start,
        from_uri=messages.text("from_uri", row),
        to_uri=messages.text("to_uri", row),
        call_id=transaction.call_id,
        src=transaction.src,
        dst=transaction.dst,
        transport=transport,
        content_type=messages.text("content_type", row),
        size_bytes=body_bytes,
        request_bytes=request_bytes,
        status_code=status,
        delivery_ms=(final - transaction.start) / 1e6 if final is not None and delivered else None,
        over_limit=transport == "UDP" and request_bytes > LIMIT_BYTES,
        text=_text(messages, row, limits),
        capture=transaction.capture,
        first_frame=transaction.first_frame,
    )


# ---- what it says
def _text(messages: Messages, row: int, limits: PartLimits) -> str | None:
    """What a person would read: of the first part that is text."""
    if not int(messages.body_length[row]) or find_header(messages.raw(row), "Content-Encoding") not in (
        None,
        "identity",
    ):
        return None
    for part in split_body(messages.text("content_type", row), messages.body(row), limits):
        if part.media_type == "message/cpim":
            part = _open_cpim(part)
        if part.media_type is not None and part.media_type.startswith("text/"):
            return _decode(part)
    return None


def _open_cpim(part: BodyPart) -> BodyPart:
    """What a CPIM message carries: behind its headers those of the content, and the content (RFC 3862 section 2)."""
    _, rest = split_head(part.body.lstrip(b"\r\n"))
    if rest is None:
        return BodyPart(None, (), b"")
    if rest[:1] == b"\n" or rest[:2] == b"\r\n":  # the content has no headers: plain text (RFC 2045 5.2)
        return BodyPart("text/plain", (), rest.removeprefix(b"\r").removeprefix(b"\n"))
    head, content = split_head(rest)
    if content is None:
        return BodyPart(None, (), b"")
    headers, _ = read_headers(head.decode("utf-8", "backslashreplace").split("\n")[:-1])
    kind = next((header.value for header in headers if header.name == "Content-Type"), "text/plain")
    return BodyPart(kind, headers, content)


def _decode(part: BodyPart) -> str:
    data = part.body[: 4 * TEXT_LIMIT]  # no charset needs more bytes a character
    if any(
        header.name.lower() == "content-transfer-encoding" and header.value.lower() == "base64"
        for header in part.headers
    ):
        data = _from_base64(data)
    charset = (
        (parameters((part.content_type or "").split(";")[1:]).get("charset") or "utf-8").strip(SPACE + '"').lower()
    )
    if not _CHARSETS.fullmatch(charset):
        charset = "utf-8"
    try:
        text = data.decode(charset, "replace")
    except LookupError:
        text = data.decode("utf-8", "replace")
    return _CONTROL.sub(_escape, text[:TEXT_LIMIT])


def _escape(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"


def _from_base64(data: bytes) -> bytes:
    letters = b"".join(data.split())
    try:
        return base64.b64decode(letters[: len(letters) // 4 * 4])
    except binascii.Error:
        return data
