"""Writes tests/golden/biographies-*.parquet: four texts in the columns that BiasInBios has on the hub, as several writers keep them.

biographies.py; needs pyarrow. The texts are those of tests/classify.rs.
"""
import pathlib
import pyarrow as pa
import pyarrow.parquet as pq

folder = pathlib.Path(__file__).parent
texts = ["She read the book. She went home, tired.", "He wrote a letter.", 'She "sang" a song.', "John went home."]
table = pa.table({
    "hard_text": texts,
    "profession": pa.array([13, 24, 24, 13], pa.int64()),
    "gender": pa.array([1, 0, 1, 0], pa.int64()),
    "other": pa.array([0.5, 1.5, None, 2.5], pa.float64()),
})
pq.write_table(table, folder / "biographies-snappy.parquet", compression="snappy", row_group_size=3)
pq.write_table(table, folder / "biographies-zstd.parquet", compression="zstd", use_dictionary=False, data_page_version="2.0")
pq.write_table(table, folder / "biographies-gzip.parquet", compression="gzip")
named = table.set_column(1, "profession", pa.array(["nurse", "software_engineer", "software_engineer", "nurse"]).dictionary_encode())
named = named.set_column(2, "gender", pa.array([1, 0, 1, 0], pa.int8()))
pq.write_table(named, folder / "biographies-named.parquet", compression="none")
holes = table.set_column(0, "hard_text", pa.array([texts[0], None, texts[2], texts[3]]))
pq.write_table(holes, folder / "biographies-holes.parquet", compression="snappy")
