SELECT last FROM relay_mark
