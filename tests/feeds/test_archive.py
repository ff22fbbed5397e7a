"""An archive is read whole and plain, or refused with its member and a reason; nothing is left on the disk."""

from __future__ import annotations

import io
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ffp_data.feeds.archive import Limits, name_problem, unpack
from ffp_data.feeds.errors import FeedError

MARKS = b"a,b\n" + b"1,2\n" * 2_000
FILES = {"people.csv": b"id\nN1\n", "marks.csv": MARKS}


def packed(
    files: Mapping[str, bytes] | None = None,
    change: Callable[[zipfile.ZipInfo], None] | None = None,
) -> bytes:
    """An archive of `files`; `change` may spoil what is said of each."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (FILES if files is None else files).items():
            info = zipfile.ZipInfo(name, (2026, 4, 1, 3, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            if change:
                change(info)
            archive.writestr(info, content)
    return out.getvalue()


def opened(tmp_path: Path, content: bytes, limits: Limits | None = None) -> dict[str, bytes]:
    """Contents by file name; whatever happens, the scratch folder must be empty afterwards."""
    path, scratch = tmp_path / "x.zip", tmp_path / "scratch"
    path.write_bytes(content)
    scratch.mkdir(exist_ok=True)
    try:
        with unpack(path, lambda name: name.endswith(".csv"), scratch, limits) as found:
            return {file.name: file.read_bytes() for file in found.files}
    finally:
        assert list(scratch.iterdir()) == []


def refusal(tmp_path: Path, content: bytes, limits: Limits | None = None) -> FeedError:
    with pytest.raises(FeedError) as caught:
        opened(tmp_path, content, limits)
    assert caught.value.remedy
    return caught.value


def patched(content: bytes, mark: bytes, offset: int, form: str, value: int) -> bytes:
    """`content` with one number of its first record that begins with `mark` overwritten."""
    data = bytearray(content)
    struct.pack_into(form, data, content.index(mark) + offset, value)
    return bytes(data)


def test_members_of_folders_and_of_any_packing_are_unpacked(tmp_path: Path) -> None:
    def store(info: zipfile.ZipInfo) -> None:
        info.compress_type = zipfile.ZIP_STORED

    files = {"set/": b"", "set/people.csv": b"id\n", "set/Größe.csv": MARKS, "read me.txt": b"x"}
    expected = {"people.csv": b"id\n", "Größe.csv": MARKS}
    assert opened(tmp_path, packed(files)) == expected
    assert opened(tmp_path, packed(files, store)) == expected


def test_an_archive_written_to_a_pipe_is_unpacked(tmp_path: Path) -> None:
    """Its sizes follow the data, in a record of their own."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise OSError

    out = Pipe()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    assert opened(tmp_path, out.getvalue()) == FILES


def test_files_stand_in_a_folder_of_this_user_alone_while_in_use(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(packed(FILES | {"notes.txt": b"hello"}))
    with unpack(path, lambda name: name.endswith(".csv"), tmp_path) as found:
        assert [file.name for file in found.files] == ["marks.csv", "people.csv"]
        assert found.others == ("notes.txt",)
        assert stat.S_IMODE(found.files[0].parent.stat().st_mode) == 0o700
    assert not found.files[0].parent.exists()


def test_what_a_killed_run_left_is_taken_away_by_the_next(tmp_path: Path) -> None:
    left = tmp_path / "scratch" / "archive-left"
    left.mkdir(parents=True)
    (left / "people.csv").write_bytes(b"id\n")
    assert opened(tmp_path, packed()) == FILES


def test_an_archive_without_a_wanted_member_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, packed({"notes.txt": b"x"})).rule == "unknown_file"
    assert refusal(tmp_path, packed({})).rule == "unknown_file"


@pytest.mark.parametrize(
    "name",
    [
        "/etc/cron.d/x.csv",
        "../x.csv",
        "a/../../x.csv",
        "..\\x.csv",
        "C:\\x.csv",
        "C:x.csv",
        "//host/share/x.csv",
        "./x.csv",
        "a//x.csv",
        "x.csv ",
        "x.csv.",
        "x\n.csv",
        "x\u202evsc.exe",
        "x" * 256,
        "é" * 128,
    ],
)
def test_a_name_that_is_no_plain_path_is_refused_by_number_alone(tmp_path: Path, name: str) -> None:
    error = refusal(tmp_path, packed({"people.csv": b"id\n", name: b"id\n"}))
    assert (error.rule, error.file) == ("archive_name", "x.zip")
    assert "member 2" in error.message
    assert name not in str(error)


def test_a_name_cut_by_a_nul_is_refused(tmp_path: Path) -> None:
    content = packed({"people.csv/x.sh": b"id\n"}).replace(b"people.csv/x.sh", b"people.csv\0x.sh")
    assert refusal(tmp_path, content).rule == "archive_name"


def test_a_name_that_is_not_the_utf8_it_says_is_refused(tmp_path: Path) -> None:
    content = packed({"ö.csv": b"id\n"}).replace("ö".encode(), b"\xc3\xc3")
    assert refusal(tmp_path, content).rule == "archive_name"


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("second", ["people.csv", "PEOPLE.csv", "people.csv/"])
def test_names_that_differ_in_case_alone_are_refused(tmp_path: Path, second: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("people.csv", b"id\n")
        archive.writestr(second, b"" if second.endswith("/") else b"id\nN2\n")
    assert refusal(tmp_path, out.getvalue()).rule == "archive_name"


def test_one_file_name_in_two_folders_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, packed({"a/people.csv": b"id\n", "b/People.csv": b"id\n"}))
    assert (error.rule, error.file) == ("archive_member", "x.zip/a/people.csv")


@pytest.mark.parametrize(
    "kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK, stat.S_IFDIR]
)
def test_a_link_or_special_file_is_refused(tmp_path: Path, kind: int) -> None:
    def special(info: zipfile.ZipInfo) -> None:
        info.external_attr = (kind | 0o644) << 16

    error = refusal(tmp_path, packed({"people.csv": b"/etc/passwd"}, special))
    assert (error.rule, error.file) == ("archive_member", "x.zip/people.csv")


@pytest.mark.parametrize("flag", [0x1, 0x40, 0x2000])
def test_an_encrypted_member_is_refused(tmp_path: Path, flag: int) -> None:
    content = patched(packed(), b"PK\1\2", 8, "<H", flag)
    error = refusal(tmp_path, content)
    assert (error.rule, error.file) == ("archive_member", "x.zip/people.csv")
    assert "encrypted" in error.message


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_another_method_than_deflate_is_refused(tmp_path: Path, method: int) -> None:
    def pack(info: zipfile.ZipInfo) -> None:
        info.compress_type = method

    assert "deflate" in refusal(tmp_path, packed(change=pack)).message


@pytest.mark.parametrize("name", ["inner.zip", "people.csv.gz", "inner.csv"])
def test_an_archive_in_the_archive_is_refused_whatever_its_name(tmp_path: Path, name: str) -> None:
    error = refusal(tmp_path, packed({name: packed()}))
    assert (error.rule, error.file) == ("archive_member", f"x.zip/{name}")


@pytest.mark.control("D07")
def test_a_member_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    error = refusal(tmp_path, packed({"people.csv": b"\0" * (32 << 20)}))
    assert (error.rule, error.file) == ("archive_too_large", "x.zip/people.csv")


def test_many_small_members_cannot_pass_the_limit_of_the_whole(tmp_path: Path) -> None:
    limits = Limits(unpacked=5 * len(MARKS) - 1)
    content = packed({f"{n}.csv": MARKS for n in range(5)})
    assert refusal(tmp_path, content, limits).rule == "archive_too_large"
    assert len(opened(tmp_path, content, Limits(unpacked=5 * len(MARKS)))) == 5


def test_the_ratio_holds_for_the_whole_too(tmp_path: Path) -> None:
    content = packed({f"{n}.csv": b"\0" * 100_000 for n in range(50)})
    assert refusal(tmp_path, content).rule == "archive_too_large"


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    content = packed({f"{n}.csv": b"" for n in range(11)})
    assert refusal(tmp_path, content, Limits(members=10)).rule == "archive_too_large"


@pytest.mark.parametrize("declared", [0, 3, 4_000_000_000])
def test_a_size_that_lies_is_refused(tmp_path: Path, declared: int) -> None:
    content = patched(packed({"people.csv": MARKS}), b"PK\1\2", 24, "<L", declared)
    content = patched(content, b"PK\3\4", 22, "<L", declared)
    error = refusal(tmp_path, content)
    assert error.rule in {"archive_damaged", "archive_too_large"}
    assert error.file == "x.zip/people.csv"


def test_more_bytes_than_declared_are_refused_even_with_their_checksum(tmp_path: Path) -> None:
    """The standard reader would stop at the declared size and find the checksum right."""
    content = packed({"people.csv": MARKS})
    for mark, crc, size in ((b"PK\1\2", 16, 24), (b"PK\3\4", 14, 22)):
        content = patched(content, mark, crc, "<L", zlib.crc32(MARKS[:4]))
        content = patched(content, mark, size, "<L", 4)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.read("people.csv") == MARKS[:4]
    assert "more than the size" in refusal(tmp_path, content).message


def test_a_stored_member_of_two_sizes_is_refused(tmp_path: Path) -> None:
    def store(info: zipfile.ZipInfo) -> None:
        info.compress_type = zipfile.ZIP_STORED

    content = patched(packed(change=store), b"PK\1\2", 24, "<L", 3)
    assert refusal(tmp_path, content).rule == "archive_member"


def test_two_members_that_share_bytes_are_refused(tmp_path: Path) -> None:
    """A directory of many names for one packed member is how small files become terabytes."""
    one = packed({"aa.csv": MARKS})
    entry, end = one.index(b"PK\1\2"), one.index(b"PK\5\6")
    again = one[entry:end].replace(b"aa.csv", b"ab.csv")
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 2, 2, 2 * (end - entry), entry, 0)
    error = refusal(tmp_path, one[:end] + again + tail)
    assert error.rule == "archive_layout"


@pytest.mark.parametrize(
    ("before", "after"), [(b"#!/bin/sh\n", b""), (b"", b"\n"), (b"", b"<?php"), (b"PK", b"")]
)
def test_bytes_before_or_after_are_refused(tmp_path: Path, before: bytes, after: bytes) -> None:
    error = refusal(tmp_path, before + packed() + after)
    assert error.rule in {"archive_layout", "not_an_archive"}


def test_bytes_between_members_are_refused(tmp_path: Path) -> None:
    content = packed()
    entry = content.index(b"PK\1\2")
    start = struct.unpack_from("<L", content, content.index(b"PK\5\6") + 16)[0]
    hidden = patched(content[:entry] + b"hidden" + content[entry:], b"PK\5\6", 16, "<L", start + 6)
    assert refusal(tmp_path, hidden).rule == "archive_layout"


def test_a_comment_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO(packed())
    with zipfile.ZipFile(out, "a") as archive:
        archive.comment = b"made by hand"
    assert refusal(tmp_path, out.getvalue()).rule == "archive_layout"


@pytest.mark.parametrize(
    ("mark", "offset", "form", "value"),
    [
        (b"PK\1\2", 20, "<L", 0xFFFFFFFF),
        (b"PK\1\2", 24, "<L", 0xFFFFFFFF),
        (b"PK\1\2", 42, "<L", 0xFFFFFFFF),
        (b"PK\1\2", 34, "<H", 1),
        (b"PK\5\6", 4, "<H", 1),
        (b"PK\5\6", 8, "<H", 1),
        (b"PK\5\6", 10, "<H", 0xFFFF),
        (b"PK\5\6", 12, "<L", 0xFFFFFFFF),
        (b"PK\5\6", 16, "<L", 0xFFFFFFFF),
    ],
)
def test_the_64_bit_form_and_split_archives_are_refused(
    tmp_path: Path, mark: bytes, offset: int, form: str, value: int
) -> None:
    assert refusal(tmp_path, patched(packed(), mark, offset, form, value)).rule == "archive_layout"


def test_a_64_bit_record_that_lies_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("people.csv", "w", force_zip64=True) as member,
    ):
        member.write(MARKS)
    assert refusal(tmp_path, out.getvalue()).rule == "archive_layout"


def test_a_member_whose_own_header_says_otherwise_is_refused(tmp_path: Path) -> None:
    content = packed().replace(b"people.csv", b"peopla.csv", 1)
    error = refusal(tmp_path, content)
    assert (error.rule, error.file) == ("archive_layout", "x.zip/people.csv")


def test_a_damaged_byte_is_found_by_the_checksum(tmp_path: Path) -> None:
    def store(info: zipfile.ZipInfo) -> None:
        info.compress_type = zipfile.ZIP_STORED

    content = packed({"people.csv": b"id\nN1\n"}, store).replace(b"N1", b"N2")
    assert refusal(tmp_path, content).rule == "archive_damaged"


def test_what_is_no_archive_says_so(tmp_path: Path) -> None:
    for content in (b"", b"P", b"id,name\nN1,x\n", b"\x1f\x8b" + b"\0" * 100):
        assert refusal(tmp_path, content).rule == "not_an_archive"


def test_a_cut_archive_is_refused_wherever_it_is_cut(tmp_path: Path) -> None:
    content = packed()
    for length in range(4, len(content)):
        assert refusal(tmp_path, content[:length]).rule in {"truncated_file", "archive_layout"}


_SEVERAL = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@_SEVERAL
@given(st.data())
def test_a_changed_byte_changes_no_content_unseen(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(packed())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    try:
        found = opened(tmp_path, bytes(content))
    except FeedError:
        return
    assert set(found.values()) <= set(FILES.values())


_CONTENT = st.one_of(st.just(b""), st.binary(max_size=3_000).map(lambda content: b"id\n" + content))


@_SEVERAL
@given(
    files=st.dictionaries(
        st.text("abcäß-_ ", max_size=8).map(lambda s: f"x{s}x.csv"),
        _CONTENT,
        min_size=1,
        max_size=5,
    )
)
def test_whatever_the_standard_library_packs_comes_out_the_same(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    assert opened(tmp_path, packed(files)) == files


@given(st.text(max_size=40))
def test_a_name_without_a_problem_stays_inside_any_folder(name: str) -> None:
    if name_problem(name) is not None:
        return
    folder = Path(tempfile.gettempdir(), "inside").resolve()
    target = (folder / name).resolve()
    assert folder in target.parents
    assert str(target.relative_to(folder)) == name.removesuffix("/")


@given(st.lists(st.sampled_from(["a", "..", ".", "", "c:", "~", "b.csv"]), min_size=1, max_size=5))
def test_no_way_out_has_a_plain_name(parts: list[str]) -> None:
    name = "/".join(parts)
    leads_out = {"..", ".", ""} & set(parts[:-1]) or parts[-1] in {"..", "."} or name in {"", "/"}
    if leads_out or "c:" in parts:
        assert name_problem(name) is not None
