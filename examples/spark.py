"""Read a list of pictures with Spark: lenet5.scale.ReadPictures under mapInPandas.

    python examples/spark.py FILES.parquet OUT        a column "path" of paths or URIs in, a folder of Parquet out

It needs PySpark and Java: pip install 'lenet5[parquet]' pyspark pandas. Paths must be readable on every machine.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pandas as pd
from pyspark.sql import SparkSession

from lenet5.scale import ReadPictures

ROWS = "path string, page long, text string, confidence double, json string, error string"


def read(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """What each task of Spark does: batches of paths in, a row for each page out."""
    pictures = ReadPictures()  # one for all batches of a task
    for batch in batches:
        yield pd.DataFrame(pictures({"path": batch["path"].to_numpy()}))
    pictures.close()


def main() -> None:
    source, target = sys.argv[1:]
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # tasks on this machine run in this environment, too
    spark = (
        SparkSession.builder.appName("lenet5")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", 256)  # files in a batch
        .getOrCreate()
    )
    paths = spark.read.parquet(source).select("path")
    cores = spark.sparkContext.defaultParallelism
    tasks = paths.repartition(4 * cores)  # more than cores, so that none waits long for the last one
    tasks.mapInPandas(read, ROWS).write.parquet(target)
    read_rows = spark.read.parquet(target)
    failed = read_rows.where(read_rows.error != "").count()
    print(f"{read_rows.count()} pages, {failed} not read")
    spark.stop()


if __name__ == "__main__":
    main()
