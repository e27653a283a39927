SELECT holder, beat FROM relay_lease
