"""Command jobs on the embedded workspace: real supervisors, real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

POLL_SECONDS = 0.02


@pytest.fixture
def job(amlkit, tmp_path):
    """Write a command job over a Python script and submit it in this Python."""

    def submit(script, *options, name="j", spec="", **more):
        code = tmp_path / "src"
        code.mkdir(exist_ok=True)
        (code / "main.py").write_text(script, encoding="utf-8")
        (tmp_path / "job.yml").write_text(
            "type: command\ncommand: python main.py\ncode: ./src\n"
            "environment: azureml:none@latest\n" + spec,
            encoding="utf-8",
        )
        return amlkit(
            "job", "submit", "job.yml", "--name", name, "--current-python", *options, **more
        )

    return submit


def shown(amlkit, name="j"):
    return json.loads(amlkit("job", "show", name).stdout)


def until(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(POLL_SECONDS)
    raise AssertionError("it did not happen in time")


def test_a_command_completes_and_its_log_is_kept(amlkit, job):
    done = job("print('hello from the job')", "--wait")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "Completed"
    assert "hello from the job" in amlkit("job", "logs", "j").stdout


def test_submit_returns_the_name_while_the_job_goes_on(amlkit, job, tmp_path):
    gate = tmp_path / "gate"
    done = job(
        f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)", "-o", "name"
    )
    assert done.stdout == "j\n"
    assert shown(amlkit)["status"] not in {"Completed", "Failed"}
    gate.touch()
    assert amlkit("job", "wait", "j", "-o", "none").returncode == 0


def test_an_exit_code_is_the_reason_of_the_failure(amlkit, job):
    done = job("import sys; sys.exit(3)", "--wait", "-o", "none")
    assert done.returncode == 1
    assert "exit code 3" in done.stderr
    assert shown(amlkit)["exit_code"] == 3


def test_a_signal_is_the_reason_of_the_failure(amlkit, job):
    done = job("import os; os.kill(os.getpid(), 9)", "--wait", "-o", "none")
    assert done.returncode == 1
    assert "signal 9 (SIGKILL)" in done.stderr


def test_a_timeout_stops_the_command(amlkit, job):
    done = job(
        "import time; time.sleep(60)", "--wait", "-o", "none", spec="limits:\n  timeout: 1\n"
    )
    assert done.returncode == 1
    assert "timeout of 1 s" in done.stderr


def test_waiting_can_time_out_and_the_job_goes_on(amlkit, job):
    job("import time; time.sleep(60)", "-o", "none")
    done = amlkit("job", "wait", "j", "--timeout", "0.3")
    assert done.returncode == 124
    assert "it goes on" in done.stderr
    assert amlkit("job", "cancel", "j").returncode == 0
    assert amlkit("job", "wait", "j").returncode == 5


def test_a_command_that_ignores_term_is_killed_after_the_grace(amlkit, job, tmp_path):
    ready = tmp_path / "ready"
    script = (
        "import signal, time, pathlib\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"pathlib.Path({str(ready)!r}).touch()\ntime.sleep(60)"
    )
    job(script, "-o", "none", env={"AMLKIT_STOP_GRACE_SECONDS": "0.3"})
    until(ready.exists)
    amlkit("job", "cancel", "j")
    assert amlkit("job", "wait", "j", "--timeout", "20").returncode == 5
    assert shown(amlkit)["status"] == "Canceled"


def test_a_killed_supervisor_fails_the_job_and_leaves_no_orphan(amlkit, job, tmp_path):
    pid_file = tmp_path / "pid"
    script = (
        "import os, pathlib, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"pathlib.Path({str(pid_file)!r}).write_text(f'{{os.getpid()}} {{child.pid}}')\n"
        "time.sleep(60)"
    )
    job(script, "-o", "none")
    until(lambda: pid_file.exists() and len(pid_file.read_text().split()) == 2)
    folder = next((tmp_path / "home").rglob("supervisor.pid"))
    os.kill(int(folder.read_text()), signal.SIGKILL)
    until(lambda: shown(amlkit)["status"] == "Failed")
    assert "supervisor died" in shown(amlkit)["error"]
    for pid in pid_file.read_text().split():
        until(lambda pid=pid: not _alive(int(pid)))


def _alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_a_missing_code_folder_is_refused_before_anything_starts(amlkit, tmp_path):
    (tmp_path / "job.yml").write_text(
        "type: command\ncommand: python main.py\ncode: ./nowhere\n"
        "environment: azureml:none@latest\n"
    )
    done = amlkit("job", "submit", "job.yml", "--current-python")
    assert done.returncode in {2, 3}
    assert "nowhere" in done.stderr
    assert json.loads(amlkit("job", "list").stdout) == []


def test_an_unknown_environment_is_refused_before_anything_starts(amlkit, tmp_path):
    (tmp_path / "job.yml").write_text(
        "type: command\ncommand: echo hi\nenvironment: azureml:nothing@latest\n"
    )
    done = amlkit("job", "submit", "job.yml")
    assert done.returncode == 3
    assert "no environment is called `nothing`" in done.stderr
    assert json.loads(amlkit("job", "list").stdout) == []


def test_a_name_that_is_taken_is_a_conflict(amlkit, job):
    job("pass", "--wait", "-o", "none")
    done = job("pass", "-o", "none")
    assert done.returncode == 6
    assert "already called `j`" in done.stderr


def test_inputs_outputs_and_variables_reach_the_command(amlkit, job, tmp_path):
    (tmp_path / "with space").mkdir()
    (tmp_path / "with space" / "ä.txt").write_text("content", encoding="utf-8")
    script = (
        "import os, pathlib, sys\n"
        "folder, out, text = sys.argv[1:4]\n"
        "assert pathlib.Path(folder, 'ä.txt').read_text() == 'content'\n"
        'assert text == "it\'s $HOME; rm -rf", text\n'
        "assert os.environ['AZUREML_RUN_ID'] == 'j'\n"
        "assert os.environ['AZURE_ML_OUTPUT_made'] == out\n"
        "pathlib.Path(out, 'result.txt').write_text('42')\n"
        "pathlib.Path('outputs/kept.txt').write_text('kept')\n"
    )
    spec = (
        "inputs:\n  folder: {type: uri_folder, path: ./with space}\n"
        '  text: "it\'s $HOME; rm -rf"\n'
        "outputs:\n  made: {type: uri_folder}\n"
    )
    (tmp_path / "extra.yml").touch()
    done = job(
        script,
        "--wait",
        "-o",
        "none",
        "--set",
        "command=python main.py ${{inputs.folder}} ${{outputs.made}} ${{inputs.text}}",
        spec=spec,
    )
    assert done.returncode == 0, done.stderr + amlkit("job", "logs", "j").stdout
    assert amlkit("job", "download", "j").returncode == 0
    assert (tmp_path / "j" / "named-outputs" / "made" / "result.txt").read_text() == "42"
    assert (tmp_path / "j" / "artifacts" / "outputs" / "kept.txt").read_text() == "kept"


def test_a_dry_run_changes_nothing(amlkit, job):
    done = job("pass", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["dry_run"] is True
    assert json.loads(amlkit("job", "list").stdout) == []


def test_the_spec_can_come_from_stdin(amlkit):
    spec = "type: command\ncommand: echo from stdin\nenvironment: azureml:none@latest\n"
    done = amlkit("job", "submit", "-", "--current-python", "--name", "s", "--wait", stdin=spec)
    assert done.returncode == 0, done.stderr
    assert amlkit("job", "logs", "s").stdout == "from stdin\n"


def test_ctrl_c_while_streaming_detaches_and_the_job_goes_on(amlkit, job, tmp_path):
    gate = tmp_path / "gate"
    job(
        "import os, time\nprint('started', flush=True)\n"
        f"while not os.path.exists({str(gate)!r}): time.sleep(0.01)",
        "-o",
        "none",
    )
    environment = {**os.environ, "AMLKIT_HOME": str(tmp_path / "home")}
    with subprocess.Popen(
        [sys.executable, "-m", "amlkit", "job", "stream", "j"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=tmp_path,
    ) as stream:
        assert stream.stdout.readline() == "started\n"
        stream.send_signal(signal.SIGINT)
        _, story = stream.communicate(timeout=20)
    assert stream.returncode == 130
    assert "job `j` goes on" in story
    gate.touch()
    assert amlkit("job", "wait", "j", "-o", "none").returncode == 0


def test_a_full_disk_while_outputs_are_stored_fails_the_job_and_says_so(amlkit, tmp_path):
    # Files that fit one by one; together, as the store keeps them, they do not.
    (tmp_path / "job.yml").write_text(
        "type: command\n"
        "command: for i in $(seq 40); do head -c 100000 /dev/urandom > ${{outputs.big}}/$i; done\n"
        "environment: azureml:none@latest\n"
        "outputs:\n  big: {type: uri_folder, name: big}\n"
    )
    # No file of the supervisor may grow past 2 MB: what a full disk does, without filling one.
    command = f"ulimit -f 2000; exec {sys.executable} -m amlkit job submit job.yml --current-python"
    environment = {**os.environ, "AMLKIT_HOME": str(tmp_path / "home")}
    subprocess.run(
        ["bash", "-c", f"{command} --name d -o none"], check=True, env=environment, cwd=tmp_path
    )
    done = amlkit("job", "wait", "d", "-o", "none")
    assert done.returncode == 1
    assert "disk" in done.stderr
    assert "full" in done.stderr
    assert json.loads(amlkit("data", "list").stdout) == []


def test_secrets_in_the_environment_are_not_stored(amlkit, job, tmp_path):
    done = job("pass", "--wait", "-o", "none", env={"AZURE_CLIENT_SECRET": "s3cr3t-value"})
    assert done.returncode == 0
    for path in (tmp_path / "home").rglob("*"):
        if path.is_file():
            assert b"s3cr3t-value" not in path.read_bytes(), path


def test_resuming_a_completed_job_is_a_conflict(amlkit, job):
    job("pass", "--wait", "-o", "none")
    done = amlkit("job", "resume", "j")
    assert done.returncode == 6


def test_retry_runs_a_failed_job_again(amlkit, job, tmp_path):
    mark = tmp_path / "mark"
    script = (
        f"import pathlib, sys\np = pathlib.Path({str(mark)!r})\nsys.exit(0 if p.exists() else 1)"
    )
    assert job(script, "--wait", "-o", "none").returncode == 1
    mark.touch()
    assert amlkit("job", "retry", "j", "--wait", "-o", "none").returncode == 0


def test_a_rank_that_fails_takes_the_others_with_it(amlkit, job):
    script = "import os, sys, time\nsys.exit(3) if os.environ['RANK'] == '1' else time.sleep(600)"
    spec = "distribution: {type: pytorch, process_count_per_instance: 3}\n"
    done = job(script, "--wait", spec=spec)
    assert done.returncode == 1
    assert shown(amlkit)["exit_code"] == 3


def test_a_project_with_its_own_workspace_keeps_that_out_of_snapshots(amlkit, tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    (project / "train.py").write_text("print(1)\n")
    (project / "job.yml").write_text(
        "type: command\ncode: .\ncommand: python train.py\nenvironment: azureml:none@latest\n"
    )
    assert amlkit("workspace", "login", "--local", ".", cwd=project).returncode == 0
    digests = set()
    for name in ("one", "two"):
        done = amlkit("job", "submit", "job.yml", "--current-python", "--wait", "-o", "none",
                      "--name", name, cwd=project)  # fmt: skip
        assert done.returncode == 0, done.stderr
        copied = next((project / ".amlkit").rglob(f"jobs/{name}/code"))
        assert {each.name for each in copied.iterdir()} == {
            "train.py",
            "job.yml",
            "outputs",
            "logs",
        }
        listed = amlkit("job", "snapshot", "ls", ".", "-o", "json", cwd=project)
        digests.add(listed.stdout)
    assert len(digests) == 1
    assert (project / ".amlkit" / ".gitignore").read_text() == "*\n"


def test_a_home_inside_the_code_folder_is_no_code(amlkit, tmp_path):
    (tmp_path / "train.py").write_text("print(1)\n")
    (tmp_path / "job.yml").write_text(
        "type: command\ncode: .\ncommand: python train.py\nenvironment: azureml:none@latest\n"
    )
    listed = amlkit("job", "snapshot", "ls", ".", "-o", "json")
    assert listed.returncode == 0, listed.stderr
    assert "home/" not in listed.stdout
    done = amlkit("job", "submit", "job.yml", "--current-python", "--wait", "-o", "none", "-n", "a")
    assert done.returncode == 0, done.stderr
    assert not list((tmp_path / "home").rglob("jobs/a/code/home"))


@pytest.mark.parametrize("name", ["../../escape", "/tmp/absolute", "..", "a/b", "a b", "ümlaut"])
def test_a_name_that_is_no_name_is_refused_before_anything_is_written(amlkit, job, tmp_path, name):
    for options in ((), ("--dry-run",)):
        done = job("print(1)", *options, name=name)
        assert done.returncode == 2
        assert "cannot be the name of a job" in done.stderr
    done = job("print(1)", name="fine", spec=f"name: '{name}'\n")
    assert done.returncode == 0, done.stderr
    assert {each.name for each in (tmp_path / "home").rglob("jobs/*")} == {"fine"}


@pytest.mark.parametrize("port", ["../../out", "..", "/tmp/out", "a/b", "a\\b"])
def test_outputs_and_inputs_stay_in_their_folders(job, port):
    for group, value in (("outputs", "{type: uri_folder}"), ("inputs", "1")):
        done = job("print(1)", spec=f"{group}: {{'{port}': {value}}}\n")
        assert done.returncode == 2, done.stderr
        assert "cannot be the name of an" in done.stderr


def test_a_version_that_could_be_a_path_is_refused(amlkit, tmp_path):
    (tmp_path / "a.csv").write_text("1")
    done = amlkit("data", "create", "--name", "a", "--version", "../x", "--path", "a.csv")
    assert done.returncode == 2
    assert "cannot be the name of a version" in done.stderr
