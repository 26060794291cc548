"""The content store: stored and restored identical, consistent after crashes and full disks."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amlkit.errors import AmlkitError, Conflict, NotFound
from amlkit.local.content import ContentStore
from amlkit.local.content.restore import restore

NAMES = st.text(
    st.characters(blacklist_characters="/\0", blacklist_categories=("Cs",)), min_size=1, max_size=12
).filter(lambda name: name not in {".", ".."})
CONTENT = st.one_of(st.just(b""), st.binary(max_size=50), st.just(200_000))
FILE = st.tuples(CONTENT, st.booleans())
TREE = st.recursive(
    st.dictionaries(NAMES, FILE, max_size=4),
    lambda inner: st.dictionaries(NAMES, st.one_of(FILE, inner), max_size=4),
    max_leaves=8,
)


def _bytes(content: bytes | int) -> bytes:
    """A number stands for so many zeros: the failing example stays readable."""
    return bytes(content) if isinstance(content, int) else content


def _whole(tree: dict) -> dict:
    return {
        name: _whole(value) if isinstance(value, dict) else (_bytes(value[0]), value[1])
        for name, value in tree.items()
    }


def _write(folder: Path, tree: dict) -> None:
    folder.mkdir()
    for name, value in tree.items():
        if isinstance(value, dict):
            _write(folder / name, value)
        else:
            (folder / name).write_bytes(_bytes(value[0]))
            (folder / name).chmod(0o755 if value[1] else 0o644)


def _read(folder: Path) -> dict:
    found: dict = {}
    for path in folder.iterdir():
        if path.is_symlink():
            found[path.name] = str(path.readlink())
        elif path.is_dir():
            found[path.name] = _read(path)
        else:
            found[path.name] = (
                path.read_bytes(),
                os.access(path, os.X_OK) and path.stat().st_mode & 0o100 != 0,
            )
    return found


@settings(max_examples=60, deadline=None)
@given(tree=TREE)
def test_any_tree_is_restored_as_it_was(tmp_path_factory, tree):
    place = tmp_path_factory.mktemp("tree")
    _write(place / "in", tree)
    store = ContentStore(place / "store")
    stored = store.add(place / "in")
    store.materialise(stored.digest, place / "out")
    assert _read(place / "out") == _whole(tree)
    assert _read(store.view(stored.digest)) == _whole(tree)
    assert store.digest(place / "out") == stored
    assert list(store.verify()) == []


def _places(folder: Path) -> list[Path]:
    return [folder, *sorted(folder.rglob("*"))]


LINKS = st.lists(st.tuples(st.integers(0), st.integers(0), NAMES, st.booleans()), max_size=4)


@settings(max_examples=60, deadline=None)
@given(tree=TREE, links=LINKS)
def test_links_inside_a_tree_lead_where_they_led(tmp_path_factory, tree, links):
    place = tmp_path_factory.mktemp("tree")
    source = place / "in"
    _write(source, tree)
    made = {}
    for where, to, name, absolute in links:
        folders = [each for each in _places(source) if each.is_dir() and not each.is_symlink()]
        link = folders[where % len(folders)] / name
        aim = _places(source)[to % len(_places(source))]
        if link.exists() or link.is_symlink() or aim.is_symlink():
            continue
        link.symlink_to(aim if absolute else os.path.relpath(aim, link.parent))
        made[link.relative_to(source)] = aim.relative_to(source)
    store = ContentStore(place / "store")
    stored = store.add(source)
    out = place / "moved" / "out"
    store.materialise(stored.digest, out)
    source.rename(place / "gone")
    for link, aim in made.items():
        assert (out / link).is_symlink()
        assert (out / link).resolve() == (out / aim).resolve()
    assert store.add(out) == stored
    assert list(store.verify()) == []


@settings(max_examples=30, deadline=None)
@given(tree=TREE, where=st.integers(0), up=st.integers(0, 3), absolute=st.booleans())
def test_a_link_that_leads_out_is_refused_and_nothing_is_stored(
    tmp_path_factory, tree, where, up, absolute
):
    place = tmp_path_factory.mktemp("tree")
    source = place / "in"
    _write(source, tree)
    (place / "in_secret").write_text("the name begins like the folder's")
    folders = [each for each in _places(source) if each.is_dir()]
    folder = folders[where % len(folders)]
    out = place / "in_secret"
    name = "\u2192 out of the folder"
    if up:
        # One link leads to another, which leads out.
        (folder / "the first of two").symlink_to("/etc")
        (folder / name).symlink_to("the first of two/passwd")
    else:
        (folder / name).symlink_to(out if absolute else os.path.relpath(out, folder))
    store = ContentStore(place / "store")
    with pytest.raises(AmlkitError, match="leads out of the folder"):
        store.add(source)
    assert list(store.trees.iterdir()) == list(store.tmp.iterdir()) == []


@pytest.mark.parametrize("shared", [False, True])
def test_sparse_files_keep_their_holes_and_permissions_their_meaning(tmp_path, shared):
    data = tmp_path / "in"
    data.mkdir()
    with (data / "sparse").open("wb") as file:
        file.seek(40 * 1024 * 1024)
        file.write(b"x" * 10)
        file.truncate(64 * 1024 * 1024)
    (data / "all holes").touch()
    os.truncate(data / "all holes", 10 * 1024 * 1024)
    for name, mode in {"run": 0o751, "own": 0o600, "read": 0o444}.items():
        (data / name).write_text(name)
        (data / name).chmod(mode)
    store = ContentStore(tmp_path / "store")
    tree = store.add(data)
    store.materialise(tree.digest, tmp_path / "out")
    back = store.view(tree.digest) if shared else tmp_path / "out"
    for each in data.iterdir():
        assert (back / each.name).read_bytes() == each.read_bytes()
        assert (back / each.name).stat().st_blocks * 512 <= max(8 * 1024 * 1024, 8192)
    modes = {name: (back / name).stat().st_mode & 0o777 for name in ("run", "own", "read")}
    write = 0 if shared else 0o200
    assert modes == {"run": 0o555 | write, "own": 0o444 | write, "read": 0o444 | write}
    used = sum(each.stat().st_blocks * 512 for each in store.objects.large.glob("*/*"))
    assert used <= 8 * 1024 * 1024


def test_names_that_differ_only_in_case_or_unicode_form_stay_apart(tmp_path):
    data = tmp_path / "in"
    names = {"Data": b"1", "data": b"2", "e\u0301": b"3", "\u00e9": b"4", "\n": b"5"}
    _write(data, {name: (content, False) for name, content in names.items()})
    (data / os.fsdecode(b"\xff.bin")).write_bytes(b"not utf-8")
    if len(list(data.iterdir())) < 6:
        pytest.skip("this file system holds them for the same")
    store = ContentStore(tmp_path / "store")
    tree = store.add(data)
    store.materialise(tree.digest, tmp_path / "out")
    assert _read(tmp_path / "out") == _read(data)
    assert store.add(tmp_path / "out") == tree


def test_a_disk_that_cannot_keep_both_of_two_names_says_so(tmp_path):
    _write(tmp_path / "in", {"data": (b"1", False), "big": (b"1" * 200_000, False)})
    store = ContentStore(tmp_path / "store")
    entries = list(store.entries(store.add(tmp_path / "in").digest))
    # What a disk that ignores case does to `Data` and `data`, where there is none.
    for number, each in enumerate(entries):
        with pytest.raises(AmlkitError, match="there is one already"):
            restore(store.objects, "folder", [each, each], tmp_path / str(number), shared=False)


def test_links_inside_are_kept_and_links_out_are_refused(tmp_path):
    code = tmp_path / "in"
    code.mkdir()
    (code / "a").write_text("a")
    (code / "to_a").symlink_to("a")
    (code / "loop").symlink_to(".")
    (code / "absolute").symlink_to(code / "a")
    store = ContentStore(tmp_path / "store")
    store.materialise(store.add(code).digest, tmp_path / "out")
    assert str((tmp_path / "out" / "to_a").readlink()) == "a"
    assert str((tmp_path / "out" / "absolute").readlink()) == "a"
    (code / "out").symlink_to("/etc/passwd")
    with pytest.raises(AmlkitError, match="`out` is a link that leads out"):
        store.add(code)


def test_a_changed_file_is_noticed_and_an_unchanged_folder_is_not_read_again(tmp_path):
    data = tmp_path / "in"
    _write(data, {"a": (b"one", False), "b": (b"two", False)})
    for name in "ab":
        os.utime(data / name, (1, 1))
    store = ContentStore(tmp_path / "store")
    first = store.add(data)
    assert store.add(data) == first
    (data / "a").write_bytes(b"two")
    second = store.add(data)
    assert second != first
    assert {each.path: each.digest for each in store.entries(second.digest)}["a"] == (
        {each.path: each.digest for each in store.entries(first.digest)}["b"]
    )


def test_a_single_file_keeps_its_name_in_a_view(tmp_path):
    (tmp_path / "titanic.csv").write_text("x\n1\n")
    store = ContentStore(tmp_path / "store")
    tree = store.add(tmp_path / "titanic.csv")
    assert (tree.kind, tree.files, tree.size) == ("file", 1, 4)
    assert store.view(tree.digest).name == "titanic.csv"
    assert store.view(tree.digest).stat().st_mode & 0o222 == 0
    with store.open(next(store.entries(tree.digest)).digest) as file:
        assert file.read() == b"x\n1\n"


def test_materialise_never_writes_over_files(tmp_path):
    _write(tmp_path / "in", {"a": (b"a", False)})
    store = ContentStore(tmp_path / "store")
    tree = store.add(tmp_path / "in")
    with pytest.raises(Conflict):
        store.materialise(tree.digest, tmp_path / "in")


def test_a_missing_path_is_named(tmp_path):
    with pytest.raises(NotFound, match="nowhere"):
        ContentStore(tmp_path / "store").add(tmp_path / "nowhere")


def test_collect_frees_what_is_not_live_and_keeps_the_rest_whole(tmp_path):
    _write(tmp_path / "a", {"x": (b"shared", False), "big": (b"1" * 300_000, False)})
    _write(tmp_path / "b", {"x": (b"shared", False), "y": (b"own", False)})
    store = ContentStore(tmp_path / "store")
    a, b = store.add(tmp_path / "a"), store.add(tmp_path / "b")
    store.view(a.digest)
    assert store.collect(lambda: {b.digest}, dry_run=False).trees == 0, "fresh trees are left alone"
    would = store.collect(lambda: {b.digest}, dry_run=True, grace_seconds=-1)
    assert store.entries(a.digest)
    done = store.collect(lambda: {b.digest}, dry_run=False, grace_seconds=-1)
    assert would == done
    assert (done.trees, done.objects, done.size) == (1, 1, 300_000)
    with pytest.raises(NotFound):
        store.entries(a.digest)
    store.materialise(b.digest, tmp_path / "out")
    assert list(store.verify()) == []
    assert store.add(tmp_path / "a") == a
    assert list(store.verify()) == []


def test_a_store_that_is_open_while_another_collects_finds_everything_again(tmp_path):
    _write(tmp_path / "a", {"x": (b"shared", False), "y": (b"own", False)})
    _write(tmp_path / "b", {"x": (b"shared", False)})
    supervisor = ContentStore(tmp_path / "store")
    a, b = supervisor.add(tmp_path / "a"), supervisor.add(tmp_path / "b")
    freed = ContentStore(tmp_path / "store").collect(
        lambda: {b.digest}, dry_run=False, grace_seconds=-1
    )
    assert (freed.trees, freed.objects) == (1, 1)
    supervisor.materialise(b.digest, tmp_path / "out")
    assert supervisor.add(tmp_path / "a") == a
    assert list(ContentStore(tmp_path / "store").verify()) == []


def test_collect_refuses_when_a_list_of_files_cannot_be_read(tmp_path):
    _write(tmp_path / "a", {"x": (b"1", False)})
    store = ContentStore(tmp_path / "store")
    tree = store.add(tmp_path / "a")
    store.tree_path(tree.digest).write_bytes(b"[")
    with pytest.raises(AmlkitError, match="list of files"):
        store.collect(lambda: {tree.digest}, dry_run=False, grace_seconds=-1)
    (damage,) = store.verify()
    assert damage.users == ((tree.digest, ""),)


def test_verify_names_the_damaged_file(tmp_path):
    _write(tmp_path / "a", {"big": (b"1" * 300_000, False)})
    store = ContentStore(tmp_path / "store")
    tree = store.add(tmp_path / "a")
    stored = next(store.objects.large.glob("*/*"))
    stored.chmod(0o644)
    stored.write_bytes(b"2" * 300_000)
    (damage,) = store.verify()
    assert damage.users == ((tree.digest, "big"),)


UNREADABLE = Path("/proc/self/mem")


@pytest.mark.skipif(not UNREADABLE.exists(), reason="nothing here gives a read error")
@pytest.mark.parametrize(
    "part", ["objects/*/*", "packs/*.pack", "packs/*.idx", "trees/*", "views/*/big"]
)
def test_verify_goes_on_after_what_a_failing_disk_cannot_read(tmp_path, part):
    _write(tmp_path / "a", {"big": (b"1" * 300_000, False), "small": (b"1", False)})
    _write(tmp_path / "b", {"other": (b"2" * 300_000, False)})
    store = ContentStore(tmp_path / "store")
    first, second = store.add(tmp_path / "a"), store.add(tmp_path / "b")
    store.view(first.digest)
    (other,) = store.entries(second.digest)
    changed = store.objects.path(other.digest)
    changed.chmod(0o644)
    changed.write_bytes(b"3" * 300_000)
    _write(tmp_path / "c", {f"{n}": (str(n).encode(), False) for n in range(2, 9)})
    beside = [store.add(each) for each in sorted((tmp_path / "c").iterdir())]
    others = {changed, *(store.tree_path(each.digest) for each in (second, *beside))}
    place = next(each for each in sorted(store.root.glob(part)) if each not in others)
    place.parent.chmod(0o755)
    place.unlink()
    place.symlink_to(UNREADABLE)
    found = list(store.verify())
    assert any("cannot be read: Input/output error" in each.problem for each in found)
    assert any(each.problem == "other bytes than its hash says" for each in found)
    store.set_aside(found)
    whole = [each for each in beside if store.tree_path(each.digest).exists()]
    assert len(whole) >= len(beside) - 1, "what could be read stays in use"
    for each in whole:
        store.materialise(each.digest, tmp_path / "out" / each.digest)
    assert store.add(tmp_path / "a") == first
    assert store.add(tmp_path / "b") == second
    assert [store.add(each) for each in sorted((tmp_path / "c").iterdir())] == beside
    store.view(first.digest)
    assert list(store.verify()) == []


def _fill(tmp_path):
    """Store two folders whose files are in two packs; nothing refers to the second."""
    store = ContentStore(tmp_path / "store")
    trees = []
    for name in "ab":
        _write(tmp_path / name, {f"{name}{n}": (f"{name}{n}".encode(), False) for n in range(4)})
        trees.append(store.add(tmp_path / name))
    return store, *trees


def _files_of(store):
    return {path: path.read_bytes() for path in store.root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("fault", ["unreadable", "cut off", "empty", "changed"])
def test_a_damaged_index_is_named_frees_nothing_and_is_mended(tmp_path, fault):
    store, kept, _ = _fill(tmp_path)
    index = sorted(store.objects.packs.glob("*.idx"))[0]
    content = index.read_bytes()
    if fault == "unreadable":
        if not UNREADABLE.exists():
            pytest.skip("nothing here gives a read error")
        index.unlink()
        index.symlink_to(UNREADABLE)
    else:
        changed = {"cut off": content[:60], "empty": b"", "changed": b"X" + content[1:]}
        index.write_bytes(changed[fault])
    before = _files_of(store) if fault != "unreadable" else None
    for one in (
        lambda each: each.collect(lambda: {kept.digest}, dry_run=False, grace_seconds=-1),
        lambda each: each.collect(lambda: {kept.digest}, dry_run=True, grace_seconds=-1),
        lambda each: each.objects.refresh(),
        lambda each: (_write(tmp_path / "c", {"new": (b"new", False)}), each.add(tmp_path / "c")),
    ):
        with pytest.raises(AmlkitError, match=index.name) as said:
            one(ContentStore(tmp_path / "store"))
        assert "amlkit workspace verify" in str(said.value.hint)
    assert before is None or _files_of(store) == before
    found = list(store.verify())
    assert [each.users for each in found if each.kind == "index"] == [
        (("", f"packs/{index.name}"),)
    ]
    store.set_aside(found)
    assert not [each for each in store.verify() if each.kind == "index"]
    assert store.add(tmp_path / "a") == kept
    store.materialise(kept.digest, tmp_path / "out")
    assert (tmp_path / "out" / "a1").read_bytes() == b"a1"
    store.collect(lambda: {kept.digest}, dry_run=False, grace_seconds=-1)
    assert list(store.verify()) == []


def test_what_is_sound_in_a_damaged_index_stays_in_use(tmp_path):
    _write(tmp_path / "a", {f"{n}": (f"{n}".encode(), False) for n in range(4)})
    store = ContentStore(tmp_path / "store")
    store.add(tmp_path / "a")
    trees = [store.add(each) for each in sorted((tmp_path / "a").iterdir())]
    (index,) = store.objects.packs.glob("*.idx")
    content = bytearray(index.read_bytes())
    content[48 + 40] ^= 255
    index.write_bytes(content)
    store.set_aside(list(store.verify()))
    whole = [each for each in trees if store.tree_path(each.digest).exists()]
    assert len(whole) == 3
    for each in whole:
        store.materialise(each.digest, tmp_path / "out" / each.digest)


def test_a_pack_that_ends_too_early_is_said_where_it_is_used(tmp_path):
    store, kept, _ = _fill(tmp_path)
    for pack in store.objects.packs.glob("*.pack"):
        pack.write_bytes(pack.read_bytes()[:-1])
    with pytest.raises(AmlkitError, match="pack` ends too early"):
        store.materialise(kept.digest, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    problems = {each.problem.partition(" ")[2] for each in store.verify()}
    assert problems == {"ends too early"}


@pytest.mark.parametrize("place", ["trees", "pins", "torn"])
def test_a_changed_list_of_files_is_noticed_by_all_and_goes(tmp_path, place):
    """A letter that changed leaves it a list, of other files."""
    store, kept, _ = _fill(tmp_path)
    path = store.tree_path(kept.digest)
    changed = path.read_bytes().replace(b'"a1"', b'"a7"')
    moved = store.root / place / path.name
    path.rename(moved)
    moved.write_bytes(changed)
    with pytest.raises(AmlkitError, match="list of files"):
        store.read_tree(kept.digest)
    if place != "pins":
        with pytest.raises(AmlkitError, match="list of files"):
            store.collect(lambda: {kept.digest}, dry_run=False, grace_seconds=-1)
    found = list(store.verify())
    assert [(each.kind, each.digest) for each in found] == [("tree", kept.digest)]
    store.set_aside(found)
    assert not moved.exists()
    assert list(store.verify()) == []
    assert store.add(tmp_path / "a") == kept


def test_what_may_not_be_read_is_told_and_not_removed(tmp_path):
    _write(tmp_path / "a", {"big": (b"1" * 300_000, False)})
    store = ContentStore(tmp_path / "store")
    tree = store.add(tmp_path / "a")
    places = [store.tree_path(tree.digest), next(store.objects.large.glob("*/*"))]
    for place in places:
        place.chmod(0)
        if os.access(place, os.R_OK):
            pytest.skip("everything may be read")
        (damage,) = store.verify()
        assert damage.problem.endswith("cannot be read: Permission denied")
        store.set_aside([damage])
        place.chmod(0o644)
    assert all(place.exists() for place in places)
    assert store.add(tmp_path / "a") == tree
    assert list(store.verify()) == []


ADD = (
    "import sys; from pathlib import Path; from amlkit.local.content import ContentStore\n"
    "print(ContentStore(Path(sys.argv[1])).add(Path(sys.argv[2])).digest)"
)


def test_sixteen_processes_adding_at_once_agree(tmp_path):
    _write(tmp_path / "in", {f"{n}": (str(n).encode() * n, False) for n in range(200)})
    command = [sys.executable, "-c", ADD, str(tmp_path / "store"), str(tmp_path / "in")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(16)]
    printed = {process.communicate()[0] for process in running}
    assert len(printed) == 1
    store = ContentStore(tmp_path / "store")
    assert printed == {store.digest(tmp_path / "in").digest.encode() + b"\n"}
    assert list(store.verify()) == []


USE = """
import sys
from pathlib import Path
from amlkit.errors import NotFound
from amlkit.local.content import ContentStore
store, data, out = (Path(each) for each in sys.argv[1:])
content, whole = ContentStore(store), 0
print("ready", flush=True)
for turn in range(60):
    digest = content.add(data).digest
    try:
        content.materialise(digest, out / str(turn))
    except NotFound:
        continue
    assert content.digest(out / str(turn)).digest == digest
    whole += 1
print(whole)
"""


def test_users_beside_a_collector_find_a_tree_whole_or_not_at_all(tmp_path):
    store = ContentStore(tmp_path / "store")
    running = []
    for name in "abc":
        _write(tmp_path / name, {f"{n}": (f"{n}".encode() * 100, False) for n in range(40)})
        (tmp_path / name / "big").write_bytes(name.encode() * 150_000)
        (tmp_path / "out" / name).mkdir(parents=True)
        places = (store.root, tmp_path / name, tmp_path / "out" / name)
        command = [sys.executable, "-c", USE, *map(str, places)]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    for each in running:
        assert each.stdout is not None
        each.stdout.readline()
    freed = 0
    while any(each.poll() is None for each in running):
        freed += store.collect(set, dry_run=False, grace_seconds=-1).trees
    whole = [int(each.communicate()[0]) for each in running]
    assert [each.returncode for each in running] == [0, 0, 0]
    assert freed, "a collector that frees nothing would prove nothing"
    assert sum(whole), "nor would users that find nothing"
    assert list(store.verify()) == []
    assert list(store.tmp.iterdir()) == []


def test_a_killed_add_leaves_no_partial_tree(tmp_path):
    _write(
        tmp_path / "in",
        {f"{n}": (str(n).encode() * (n + 1) * 500, False) for n in range(300)},
    )
    chance = random.Random(1)
    store = ContentStore(tmp_path / "store")
    for _ in range(12):
        command = [sys.executable, "-c", ADD, str(store.root), str(tmp_path / "in")]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.03, 0.25))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert list(store.verify()) == []
        store.collect(set, dry_run=False, grace_seconds=-1)
        assert list(store.tmp.iterdir()) == []
    tree = store.add(tmp_path / "in")
    assert tree.files == 300
    assert list(store.verify()) == []


def test_a_full_disk_is_said_and_leaves_the_store_as_it_was(tmp_path):
    _write(tmp_path / "in", {"big": (os.urandom(2_000_000), False)})
    store = ContentStore(tmp_path / "store")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        with pytest.raises(AmlkitError, match="a file of it is larger than is allowed"):
            store.add(tmp_path / "in")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(store.trees.iterdir()) == list(store.tmp.iterdir()) == []
    assert store.add(tmp_path / "in").files == 1


def test_what_is_live_is_asked_when_nobody_writes_any_more(tmp_path):
    _write(tmp_path / "a", {"x": (b"1", False)})
    store = ContentStore(tmp_path / "store")
    asked = []

    def live():
        # A writer that came before the collector has registered its tree by now.
        with pytest.raises(BlockingIOError):
            import fcntl

            with (store.root / "lock").open("rb+") as other:
                fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
        asked.append(True)
        return {tree.digest}

    tree = store.add(tmp_path / "a")
    assert store.collect(live, dry_run=False, grace_seconds=-1).trees == 0
    assert asked
    assert list(store.entries(tree.digest))


def test_a_folder_that_holds_the_store_is_no_data(tmp_path):
    store = ContentStore(tmp_path / "project" / ".amlkit" / "content")
    (tmp_path / "project" / "data.txt").write_text("1")
    with pytest.raises(Conflict, match="holds the workspace itself"):
        store.add(tmp_path / "project")
    assert store.add(tmp_path / "project" / "data.txt").kind == "file"


def test_a_large_file_that_a_job_wrote_to_is_not_given_to_another(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    _write(tmp_path / "a", {"big": (b"1" * 300_000, False)})
    store = ContentStore(tmp_path / "store")
    tree = store.add(tmp_path / "a")
    view = store.view(tree.digest)
    stored = next(store.objects.large.glob("*/*"))
    stored.chmod(0o644)
    with (view / "big").open("r+b") as shared:
        shared.write(b"2")
    for use in (
        lambda: store.view(tree.digest),
        lambda: store.materialise(tree.digest, tmp_path / "b"),
    ):
        with pytest.raises(AmlkitError, match="`big` was changed"):
            use()
    with stored.open("r+b") as mended:
        mended.write(b"1")
    assert (store.view(tree.digest) / "big").read_bytes() == b"1" * 300_000
