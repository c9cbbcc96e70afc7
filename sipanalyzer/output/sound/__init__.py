"""What was said in a call: payload is decoded (:mod:`.decoders`) and laid out in time (:mod:`.mixing`). Floor 8.

numpy and PyAV (the extra ``audio``) are loaded when sound is asked for; G.711 and linear PCM need numpy alone.
"""
