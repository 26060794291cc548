"""What a file share does that a container does not, and what goes wrong on the way, on a server."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
import shares_server
from shares_tree import Share as Tree

from amlkit import copying
from amlkit.errors import AmlkitError, Conflict, NotLoggedIn, UsageError
from amlkit.shares import logins
from amlkit.shares.names import folded
from amlkit.shares.store import Share, ShareStore
from amlkit.transfers import Transfer

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
HOW = Transfer()
MIB = 1024 * 1024


@pytest.fixture
def store(shares):
    """Return a function that opens the share with a key, or with something else."""

    def opened(kind="account_key", secret=shares_server.KEY):
        url = f"http://{shares.endpoint}/{shares_server.ACCOUNT}"
        place = Share(url, shares_server.ACCOUNT, "images")
        login = logins.with_secret("images", kind, secret, account=place.account, more={})
        return ShareStore("images", place, login)

    return opened


@pytest.fixture
def tree(shares):
    return shares.shares["images"]


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.bin").write_bytes(b"aaaa")
    (folder / "sub" / "empty.bin").touch()
    (folder / "sub" / "big.bin").write_bytes(b"".join(bytes([n]) * MIB for n in range(9)) + b"end")
    return folder


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}


def went_up_and_down(store, source, tmp_path):
    copying.upload(store(), source, "t", HOW)
    copying.download(store(), "t", tmp_path / "out", HOW)
    return files(tmp_path / "out") == files(source)


# Names.


def test_names_with_dots_at_the_end_spaces_and_signs_come_back(store, tree, tmp_path):
    folder = tmp_path / "in"
    names = ("a", "a.", "a ü", "100%25", "x+y&z=1", "#1;2", "日本.txt", ".hidden", "a~b'c,(d)")
    for name in (*names, unicodedata.normalize("NFD", "ü.txt")):
        path = folder / f"folder {name}" / name
        path.parent.mkdir(parents=True)
        path.write_text(name)
    copying.upload(store(), folder, "t", HOW)
    copying.download(store(), "t", tmp_path / "out", HOW)
    got = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*")}
    assert got == {p.relative_to(folder).as_posix() for p in folder.rglob("*")}
    assert len(tree.names()) == 10


def test_two_names_that_would_be_one_file_are_refused_before_anything_is_sent(
    store, shares, tmp_path
):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "A.txt").write_text("A")
    (folder / "a.txt").write_text("a")
    with pytest.raises(Conflict, match="would be one file"):
        copying.upload(store(), folder, "t", HOW)
    assert shares.log == []


def test_a_mirror_keeps_the_file_that_is_there_in_other_letters(store, tree, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "README.md").write_text("new")
    tree.put("T/readme.md", b"old")
    tree.put("T/gone.md", b"old")
    done = copying.upload(store(), tmp_path / "in", "t", Transfer(delete=True))
    assert [each.lower() for each in done.deleted] == ["t/gone.md"]
    assert [bytes(each.content) for each in tree.files.values()] == [b"new"]
    again = copying.upload(store(), tmp_path / "in", "t", Transfer(delete=True))
    assert (again.copied, again.skipped, again.deleted) == ((), 1, ())


def test_letters_are_compared_one_by_one():
    assert folded("aÜ/ß") == folded("Aü/ß") != folded("aÜ/ss")


def test_a_file_where_a_folder_is_and_a_folder_where_a_file_is_are_told(store, tree, source):
    tree.put("t/a.bin/x", b"")
    with pytest.raises(Conflict, match="a file there and a folder here"):
        copying.upload(store(), source, "t", HOW)
    tree.put("u/sub", b"")
    with pytest.raises(Conflict, match="a file there and a folder here"):
        copying.upload(store(), source, "u", HOW)


# Checksums.


def test_content_that_rotted_is_told_and_not_left(store, tree, source, tmp_path):
    copying.upload(store(), source, "t", HOW)
    tree.file("t/sub/big.bin").content[5 * MIB] ^= 1
    with pytest.raises(AmlkitError, match="checksum differs"):
        copying.download(store(), "t/sub/big.bin", tmp_path / "out", HOW)
    assert list((tmp_path / "out").iterdir()) == []


def test_what_was_written_to_over_smb_comes_as_it_is_now_and_is_sent_again(
    store, tree, source, tmp_path
):
    copying.upload(store(), source, "t", HOW)
    tree.edit("t/a.bin", 0, b"BB")
    copying.download(store(), "t/a.bin", tmp_path / "out", HOW)
    assert (tmp_path / "out" / "a.bin").read_bytes() == b"BBaa"
    assert copying.upload(store(), source, "t", HOW).copied == ("t/a.bin",)


def test_a_change_within_one_second_is_fetched(store, source, tmp_path):
    for content in (b"one", b"two"):
        (source / "a.bin").write_bytes(content)
        copying.upload(store(), source / "a.bin", "", HOW)
        copying.download(store(), "a.bin", tmp_path / "out", HOW)
        assert (tmp_path / "out" / "a.bin").read_bytes() == content


def test_a_file_that_changes_while_it_is_read_is_told(store, shares, tree, tmp_path):
    tree.put("big.bin", b"1" * 9 * MIB)
    (stored,) = store().files("big.bin")
    tree.put("big.bin", b"2" * 9 * MIB)
    with pytest.raises(AmlkitError, match="changed while it was read"):
        store().fetch(stored, tmp_path / "big.bin", lambda size: None)
    tree.put("big.bin", b"2")
    with pytest.raises(AmlkitError, match="changed while it was read"):
        store().fetch(stored, tmp_path / "big.bin", lambda size: None)
    assert not (tmp_path / "big.bin").exists()


def test_a_file_that_goes_away_while_it_is_sent_is_told_and_not_left(store, tree, source):
    def moved(size):
        (source / "sub" / "big.bin").unlink(missing_ok=True)

    with pytest.raises(AmlkitError, match="changed while it was sent"):
        store().put("big.bin", source / "sub" / "big.bin", moved)
    assert tree.names() == []


def test_a_file_that_changes_while_it_is_sent_is_told_and_not_left(store, tree, source):
    def moved(size):
        (source / "sub" / "big.bin").write_bytes(b"other")

    with pytest.raises(AmlkitError, match="changed while it was sent"):
        store().put("big.bin", source / "sub" / "big.bin", moved)
    assert (tree.names(), tree.parts()) == ([], [])


# What goes wrong on the way.


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("PUT range", 0),
        ("PUT rename", 0),
        ("GET list", 0),
        ("GET file", 0),
        ("PUT rename", 503),
    ],
)
def test_what_fails_once_is_asked_again(store, shares, source, tmp_path, words, status):
    shares.faults.append(shares_server.Fault((words,), status))
    assert went_up_and_down(store, source, tmp_path)
    assert shares.faults == []
    assert shares.shares["images"].parts() == []


def test_what_goes_on_failing_is_one_message_and_the_next_attempt_goes_on(
    store, shares, tree, tmp_path
):
    content = b"".join(bytes([n]) * MIB for n in range(9))
    tree.put("big.bin", content)
    (stored,) = store().files("big.bin")
    shares.faults.append(shares_server.Fault(("GET file",), 0, times=99))
    with pytest.raises(AmlkitError, match="broke off") as caught:
        store().fetch(stored, tmp_path / "big.bin", lambda size: None)
    assert "goes on where it stopped" in caught.value.hint
    shares.faults.clear()
    with copying.begun(tmp_path / "big.bin", stored) as (part, _):
        part.write_bytes(content[: 5 * MIB + 1])
    moved = []
    store().fetch(stored, tmp_path / "big.bin", moved.append)
    assert (tmp_path / "big.bin").read_bytes() == content
    assert (moved[0], sum(moved)) == (5 * MIB + 1, 9 * MIB)


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (409, "SharingViolation", "is in use on a computer that has the share mounted"),
        (400, "InvalidFileOrDirectoryPathName", "refuses a request"),
        (403, "ShareDisabled", "there is no share `images`"),
        (403, "AuthorizationPermissionMismatch", "refuses the credentials"),
    ],
)
def test_what_azure_refuses_is_told_with_its_code(store, shares, tree, source, status, code, said):
    shares.faults.append(shares_server.Fault(("PUT rename",), status, times=9, code=code))
    with pytest.raises(AmlkitError, match=said) as caught:
        copying.upload(store(), source, "t", HOW)
    assert f"({code})" in caught.value.message
    assert caught.value.hint
    assert tree.names() == []


# Uploads that were killed.


def test_only_what_nobody_went_on_with_for_a_week_is_removed(store, tree):
    old = tree.put(".amlkit-uploads/0.1.part", b"old")
    old.modified = datetime.now(UTC) - timedelta(days=8)
    tree.put(".amlkit-uploads/0.2.part", b"new")
    tree.put("a.bin", b"1")
    store().tidy()
    assert [each.name for each in tree.parts()] == [".amlkit-uploads/0.2.part"]
    assert [each.path for each in store().files("")] == ["a.bin"]
    assert list(store().files(".amlkit-uploads")) == []
    tree.files.clear()
    store().tidy()
    assert tree.folders == {"": ""}


def test_nothing_is_uploaded_to_where_files_are_filled(store, tree, source):
    with pytest.raises(AmlkitError, match="not whole"):
        copying.upload(store(), source, ".AMLKIT-uploads/t", HOW)
    assert tree.files == {}


def test_of_two_that_go_on_with_one_file_each_writes_its_own(store, tree, source, tmp_path):
    big = source / "sub" / "big.bin"
    other = store()

    def first(size):
        # A second upload of the same file takes over what the first has sent, in the middle.
        if not tree.names():
            other.put("big.bin", big, lambda size: None)

    with pytest.raises(AmlkitError, match="another command is uploading"):
        store().put("big.bin", big, first)
    assert bytes(tree.file("big.bin").content) == big.read_bytes()
    assert tree.parts() == []


# Logins.


def sas(*, hours):
    from azure.storage.fileshare import ShareSasPermissions, generate_share_sas

    now = datetime.now(UTC)
    return generate_share_sas(
        shares_server.ACCOUNT, "images", shares_server.KEY,
        permission=ShareSasPermissions(read=True, write=True, list=True, delete=True, create=True),
        start=now - timedelta(hours=9), expiry=now + timedelta(hours=hours),
    )  # fmt: skip


def test_a_sas_works_until_it_expires(store, tree, source, tmp_path):
    def with_sas():
        return store("sas_token", f"?{sas(hours=1)}")

    assert went_up_and_down(with_sas, source, tmp_path)
    with pytest.raises(NotLoggedIn, match="the SAS token has expired"):
        list(store("sas_token", sas(hours=-1)).files(""))
    with pytest.raises(NotLoggedIn, match="no SAS"):
        store("sas_token", "not-one")
    forged = sas(hours=1).replace("sp=", "sp=x")
    with pytest.raises(NotLoggedIn, match="refuses the credentials"):
        list(store("sas_token", forged).files(""))


def test_an_identity_is_not_sent_over_http():
    with pytest.raises(UsageError, match="over which no identity is sent"):
        logins.identity("images", "http://127.0.0.1:1/acme")


def test_the_server_knows_a_share_only_by_its_own_name(store, shares):
    shares.shares["other"] = Tree()
    assert list(store().files("")) == []
