"""Captures are read once more, for what an analysis does not keep. Floor 6, above the conductor.

An analysis keeps no packet. Who wants the packets of one stream (:mod:`.rows`), their payload (:mod:`.payloads`) or the
frames of one call as they stand in the file (:mod:`.frames`) reads the captures again; only those are kept.
"""
