"""What comes in: clips of machine sound, read, turned into log-mel frames, and handed on."""
