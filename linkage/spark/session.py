"""A Spark session: a private, silent one on this machine, or the cluster's.

Without anything said otherwise, Spark runs inside this process' child on ``local[threads]``: no
web pages, no event log, no metastore, nothing in the working folder, no address but 127.0.0.1. Its
spill and cached blocks hold personal data: they lie in a folder that only this user can read,
encrypted with a key that exists only while Spark runs, and the folder is removed at the end; so is
the Java process. An active session, ``spark-submit`` or PYSPARK_SUBMIT_ARGS decide for themselves.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark import SparkContext, cloudpickle
from pyspark.sql import SparkSession

from linkage.errors import LinkageError
from linkage.spark import workers

LEAST_JAVA = 17
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
# Settings of the queries; they bind nobody else, because every engine has a session of its own.
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "false",  # no sum here can overflow, and each check costs
    # Pairs are many where keys are few bytes: Spark would join far too much in one task.
    "spark.sql.adaptive.coalescePartitions.enabled": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "50000",
}
# What goes wrong reaches the caller as an error; a log would quote rows of persons.
_QUIET = """\
rootLogger.level = off
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
logger.gateway.name = org.apache.spark.api.python.PythonGatewayServer
logger.gateway.level = off
"""

cloudpickle.register_pickle_by_value(workers)


@contextmanager
def open_session(threads: int, memory_limit: str | None) -> Iterator[SparkSession]:
    """A session of one's own in the running Spark, else in one started for it. Raises LinkageError."""
    running = SparkSession.getActiveSession()
    if running is not None:
        yield _own(running)
    elif "PYSPARK_GATEWAY_PORT" in os.environ or "PYSPARK_SUBMIT_ARGS" in os.environ:
        with _stopped(SparkSession.builder.appName("linkage").getOrCreate()) as spark:
            yield _own(spark)
    else:
        _require_java()
        with (
            tempfile.TemporaryDirectory(prefix="linkage-spark-") as scratch,
            _stopped(_start(Path(scratch), threads, memory_limit)) as spark,
        ):
            yield _own(spark)


def _own(spark: SparkSession) -> SparkSession:
    session = spark.newSession()
    for key, value in _SETTINGS.items():
        session.conf.set(key, value)
    return session


def _start(scratch: Path, threads: int, memory_limit: str | None) -> SparkSession:
    quiet = scratch / "log4j2.properties"
    quiet.write_text(_QUIET, encoding="ascii")
    java = [
        f"-Dlog4j2.configurationFile={quiet}",
        f"-Djava.io.tmpdir={scratch}",
        "-XX:-UsePerfData",
        # Start and planning cost more than the work of one machine's records: compile fast.
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        "-Darrow.enable_unsafe_memory_access=true",  # no check of bounds for each value
        "-Darrow.enable_null_check_for_get=false",
    ]
    settings = {
        "spark.master": f"local[{threads}]",
        "spark.app.name": "linkage",
        "spark.driver.memory": f"{_mebibytes(memory_limit or '2GiB')}m",
        "spark.driver.extraJavaOptions": " ".join(java),
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.maxResultSize": "0",
        "spark.authenticate": "true",
        "spark.io.encryption.enabled": "true",
        "spark.network.crypto.enabled": "true",
        "spark.local.dir": str(scratch),
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.eventLog.enabled": "false",
    }
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder
    for key, value in settings.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


@contextmanager
def _stopped(spark: SparkSession) -> Iterator[SparkSession]:
    """Stop Spark at the end, and the Java process with it if it is our child.

    PySpark itself keeps the process, with records in its memory, until Python ends.
    """
    main = threading.current_thread() is threading.main_thread()
    interrupt = signal.getsignal(signal.SIGINT) if main else None
    try:
        yield spark
    finally:
        gateway = SparkContext._gateway
        spark.stop()
        child = getattr(gateway, "proc", None)
        if gateway is not None and child is not None:
            gateway.shutdown()
            child.stdin.close()
            child.wait(timeout=60)
            SparkContext._gateway = SparkContext._jvm = None
        if main:
            signal.signal(signal.SIGINT, interrupt)


def _require_java() -> None:
    """Raise LinkageError unless a Java that Spark can use is found."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin" if home else None)
    remedy = (
        f"install Java {LEAST_JAVA} (Debian: openjdk-{LEAST_JAVA}-jre-headless) or set JAVA_HOME"
    )
    if java is None:
        raise LinkageError(f"the Spark engine needs Java, and none is found; {remedy}")
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)  # noqa: S603
    found = re.search(r'version "(\d+)', told.stderr)
    if not found or int(found[1]) < LEAST_JAVA:
        raise LinkageError(f"the Spark engine cannot use the Java at {java}; {remedy}")


def _mebibytes(size: str) -> int:
    """A size as DuckDB takes it (2GB, 1.5GiB), in whole mebibytes."""
    found = re.fullmatch(r"\s*([\d.]+)\s*([KMGT]?)(I?B)?\s*", size.upper())
    if not found:
        raise LinkageError(f"memory limit '{size}' is not understood; write for example 2GB")
    return max(512, int(float(found[1]) * _UNITS[found[2]] / 2**20))
