"""Waiting for a process that is somebody else's child."""

from __future__ import annotations

import os
import subprocess

import pytest

from amlkit.local.processes import sleep_unless_gone

needs_pidfd = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="Linux 5.3 and later")


@needs_pidfd
def test_a_sleep_ends_with_the_process_it_watches():
    process = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    assert sleep_unless_gone(process.pid, 0) is False
    process.stdin.close()
    assert sleep_unless_gone(process.pid, 60) is True
    process.wait()


def test_a_process_that_is_not_there_is_only_a_sleep():
    process = subprocess.Popen(["true"])
    process.wait()
    assert sleep_unless_gone(process.pid, 0) is False
    assert sleep_unless_gone(None, 0) is False
