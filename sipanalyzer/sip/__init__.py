"""Floor 4: SIP and SDP: bytes to spans and integers, bytes to frozen objects, framing on byte streams."""
