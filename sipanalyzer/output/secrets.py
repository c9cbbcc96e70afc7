"""What must not leave the house in a message that is handed on: credentials and keys. Floor 8, standard library only.

In: a SIP message as it was on the wire. Out: the same with the answers to challenges, passwords and SRTP keys blanked.
Nonces, realms and user names stay: they are needed to see why authentication failed, and open nothing. Keys of media
go, since whoever has the capture too could listen.

Sources: RFC 7616 (Digest), RFC 4568 9.1 (``a=crypto``), RFC 4567 (``a=key-mgmt``), RFC 4566 5.12 (``k=``).
"""

from __future__ import annotations

import re
from typing import overload

__all__ = ["BLANK", "without_secrets"]

BLANK = b"***"
"""What stands in the place of a secret."""

_HEADERS = re.compile(rb"^((?:Proxy-)?Authorization[ \t]*:)([^\n]*(?:\n[ \t][^\n]*)*)", re.IGNORECASE | re.MULTILINE)
_INFO = re.compile(rb"^((?:Proxy-)?Authentication-Info[ \t]*:)([^\n]*(?:\n[ \t][^\n]*)*)", re.IGNORECASE | re.MULTILINE)
_SCHEME = re.compile(rb"(\s*[^\s,=]+)\s+")
_PROOF = re.compile(
    rb"(?<![\w-])((?:response|rspauth|auts|password)[ \t]*=[ \t]*)(\"[^\"\r\n]*\"?|[^\s,]*)", re.IGNORECASE
)
_KEYS = (
    re.compile(rb"^(a=crypto:[^\r\n]*?\binline:)[^|;\s]*", re.IGNORECASE | re.MULTILINE),
    re.compile(rb"(;[ \t]*inline:)[^|;\s]*", re.IGNORECASE),
    re.compile(rb"^(a=key-mgmt:[^\s]*[ \t]+)[^\r\n]*", re.IGNORECASE | re.MULTILINE),
    re.compile(rb"^(k=(?:clear|base64|uri):)[^\r\n]*", re.IGNORECASE | re.MULTILINE),
    re.compile(rb"(\bsips?:[^\s:@<>\"/?;]{1,256}:)[^\s:@<>\"/?;]{1,256}(?=@)", re.IGNORECASE),
)
"""Each with what stays before the secret: SDP's keys (the first of a line, further ones), and passwords in URIs."""

_SIGNS = (b"authorization", b"authentication-info", b"inline:", b"key-mgmt:", b"k=clear:", b"k=base64:", b"k=uri:")
"""In small letters: without any of them, and without a password in a URI, none of the expressions above finds anything.
To look for them takes a tenth of the time."""
_PASSWORD_SIGN = re.compile(rb"sips?:[^\s:@<>\"/?;]{1,256}:[^\s:@<>\"/?;]{1,256}@")


@overload
def without_secrets(message: bytes) -> bytes: ...
@overload
def without_secrets(message: str) -> str: ...
def without_secrets(message: bytes | str) -> bytes | str:
    """A message with its credentials and keys blanked.

    Parameters
    ----------
    message : bytes or str
        Of any kind; the body's SDP is looked through too.

    Returns
    -------
    bytes or str
        As it came in.

    Examples
    --------
    >>> without_secrets('Authorization: Digest username="a", nonce="1", response="5ebe2294"')
    'Authorization: Digest username="a", nonce="1", response="***"'
    >>> without_secrets("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1j|2^20")
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:***|2^20'
    """
    if isinstance(message, str):
        return without_secrets(message.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")
    small = message.lower()
    if not any(sign in small for sign in _SIGNS) and not _PASSWORD_SIGN.search(small):
        return message
    message = _HEADERS.sub(_credentials, message)
    message = _INFO.sub(lambda found: found[1] + _PROOF.sub(_blank_value, found[2]), message)
    for key in _KEYS:
        message = key.sub(rb"\g<1>" + BLANK, message)
    return message


def _credentials(found: re.Match[bytes]) -> bytes:
    """A header of credentials: of Digest the proof is blanked, of any other scheme (Basic, Bearer, NTLM) all."""
    name, value = found[1], found[2]
    scheme = _SCHEME.match(value)
    if scheme is None:
        return name + (b" " + BLANK if value.strip() else value) + _line_end(value)
    if scheme[1].strip().lower() == b"digest":
        return name + _PROOF.sub(_blank_value, value)
    return name + scheme[1] + b" " + BLANK + _line_end(value)


def _blank_value(found: re.Match[bytes]) -> bytes:
    return found[1] + b'"' + BLANK + b'"' if found[2].strip(b'"') else found[0]


def _line_end(value: bytes) -> bytes:
    return b"\r" if value.endswith(b"\r") else b""
