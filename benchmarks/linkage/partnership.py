"""The children of a partnership, or of a nation, as six agencies know them: records and the truth.

    python benchmarks/linkage/partnership.py --records 100000 --out build/linkage/partnership-100k
    python benchmarks/linkage/partnership.py --records 16000000 --out build/linkage/nation

writes records.parquet (what an engine sees) and truth.parquet (record_id, person_id, family_id,
kind, ethnic_group, tradition, sex, age_band). Districts of 2,000 families are made one by one in two
processes and written as they come, so memory does not grow with the size, and a larger number begins
with the same districts. Same number, same seed: same bytes.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.linkage import faults
from benchmarks.linkage.households import AS_AT, STRIDE, Array, district
from benchmarks.linkage.names import traditions

SEED = 20260331
NUMBERS = STRIDE * 4  # record numbers kept for one district
AGE_BANDS = ((1, "under 1"), (5, "1 to 4"), (11, "5 to 10"), (16, "11 to 15"), (18, "16 and 17"))
AT_ONCE = 8  # districts on their way between the processes and the files


def make(records: int, seed: int = SEED, doorstep: bool = False) -> tuple[pa.Table, pa.Table]:
    """(records, truth) in memory; for a nation use write()."""
    made = list(_exactly(records, (make_district(seed, n, doorstep) for n in count())))
    return pa.concat_tables([r for r, _ in made]), pa.concat_tables([t for _, t in made])


def make_district(seed: int, number: int, doorstep: bool = False) -> tuple[pa.Table, pa.Table]:
    """(records, truth) of one district, in an order that says nothing about families."""
    rng, children = district(seed, number)
    made = faults.record(rng, children, faults.agencies(doorstep))
    order = rng.permutation(len(made.child))
    names = np.array([a.name for a in made.agencies], dtype=object)
    number_text = (number * NUMBERS + np.arange(len(order))).astype("U9")
    sources = names[made.agency[order]]
    ids = sources + "|" + np.char.zfill(number_text, 9).astype(object)
    return _records(made, order, ids, sources), _truth(made, order, ids)


def _records(made: faults.Records, order: Array, ids: Array, sources: Array) -> pa.Table:
    text = {
        "given_name": made.given, "middle_names": made.middle, "surname": made.surname,
        "sex": made.children.sex[made.child].astype(object), "address_line": made.address,
        "postcode": made.postcode, "nhs_number": made.nhs, "upn": made.upn,
    }  # fmt: skip
    columns = {"record_id": pa.array(ids, pa.string()), "source": pa.array(sources, pa.string())}
    columns["date_of_birth"] = pa.array(made.born[order].astype("datetime64[D]"), pa.date32())
    for name, values in text.items():
        values[values == ""] = None
        columns[name] = pa.array(values[order], pa.string())
    first = ["record_id", "source", "given_name", "middle_names", "surname", "date_of_birth"]
    return pa.table(columns).select([*first, *(c for c in columns if c not in first)])


def _truth(made: faults.Records, order: Array, ids: Array) -> pa.Table:
    children, child = made.children, made.child[order]
    codes = children.tradition_of()[child]
    age = (AS_AT - children.born).astype(int) // 365
    band = np.searchsorted([limit for limit, _ in AGE_BANDS], age, side="right")[child]
    family = children.serial // STRIDE * STRIDE + children.family
    named = {
        "ethnic_group": np.array([t.group for t in traditions()], dtype=object)[codes],
        "tradition": np.array([t.code for t in traditions()], dtype=object)[codes],
        "kind": children.kind[child].astype(object),
        "sex": children.sex[child].astype(object),
        "age_band": np.array([b for _, b in (*AGE_BANDS, AGE_BANDS[-1])], dtype=object)[band],
    }
    columns = {
        "record_id": pa.array(ids, pa.string()),
        "person_id": pa.array(children.serial[child], pa.int64()),
        "family_id": pa.array(family[child], pa.int64()),
    }
    return pa.table(columns | {k: pa.array(v, pa.string()) for k, v in named.items()})


def _exactly(
    records: int, made: Iterator[tuple[pa.Table, pa.Table]]
) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Districts until there are exactly so many records; the last one is cut."""
    left = records
    for found, truth in made:
        yield found.slice(0, left), truth.slice(0, left)
        left -= found.num_rows
        if left <= 0:
            return


def _districts(seed: int, processes: int, doorstep: bool) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Districts in order, made ahead in other processes, a few at a time."""
    with ProcessPoolExecutor(processes) as executor:
        ahead = [executor.submit(make_district, seed, n, doorstep) for n in range(AT_ONCE)]
        for number in count(AT_ONCE):
            yield ahead.pop(0).result()
            ahead.append(executor.submit(make_district, seed, number, doorstep))


def write(
    records: int, folder: Path, seed: int = SEED, processes: int = 2, doorstep: bool = False
) -> None:
    """Write records.parquet and truth.parquet."""
    folder.mkdir(parents=True, exist_ok=True)
    writers: list[pq.ParquetWriter] = []
    for tables in _exactly(records, _districts(seed, processes, doorstep)):
        if not writers:
            paths = (folder / "records.parquet", folder / "truth.parquet")
            writers = [pq.ParquetWriter(p, t.schema) for p, t in zip(paths, tables, strict=True)]
        for writer, table in zip(writers, tables, strict=True):
            writer.write_table(table)
    for writer in writers:
        writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--doorstep", action="store_true", help="the demanding variant (faults.py)")
    options = parser.parse_args()
    start = time.perf_counter()
    write(options.records, options.out, options.seed, options.processes, options.doorstep)
    used = [resource.getrusage(k) for k in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    peak = max(u.ru_maxrss for u in used) / 2**20
    cpu = sum(u.ru_utime + u.ru_stime for u in used)
    print(
        f"{time.perf_counter() - start:.1f} s, {cpu:.1f} s of CPU, {peak:.2f} GiB at most in a process"
    )


if __name__ == "__main__":
    main()
