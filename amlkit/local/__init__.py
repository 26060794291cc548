"""The embedded workspace: a folder, a catalogue, and supervisors that run jobs."""
