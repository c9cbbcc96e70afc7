"""Floor 3: what the decoding kernel leaves over: odd encapsulations, IP fragments, TCP and SCTP."""
