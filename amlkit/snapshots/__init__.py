"""Which files of a folder belong to it, on every workspace: what is in, what is out, and why."""
