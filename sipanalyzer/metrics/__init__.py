"""Quality figures: the E-model, jitter buffers, bursts. Floor 4: pure functions."""
