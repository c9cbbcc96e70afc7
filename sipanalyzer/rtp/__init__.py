"""Floor 4: rows of RTP packets to the state and figures of streams."""
