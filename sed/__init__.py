"""Which sound, and when: detectors of sound events, in Flax."""
