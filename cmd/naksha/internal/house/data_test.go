package house_test

import (
	"compress/gzip"
	"encoding/csv"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestTheCityDataIsWholeAndLicensed reads the demo's data as the demo does.
func TestTheCityDataIsWholeAndLicensed(t *testing.T) {
	t.Parallel()
	const limit = 5 << 20 // bytes, compressed
	dir := filepath.Join(root(), "examples", "data")
	file, err := os.Open(filepath.Join(dir, "cities.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || info.Size() > limit {
		t.Errorf("size: %v %v, want at most %d", info.Size(), err, limit)
	}
	packed, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	rows := csv.NewReader(packed)
	heading, err := rows.Read()
	if want := []string{"id", "name", "country", "admin1", "admin2", "lat", "lng"}; err != nil || !slices.Equal(heading, want) {
		t.Fatalf("heading %v %v, want %v", heading, err, want)
	}
	n := checkCities(t, rows)
	if n < 150_000 {
		t.Errorf("%d rows, want about 150,000 or more", n)
	}
	text, err := os.ReadFile(filepath.Join(dir, "LICENSE"))
	if err != nil || !strings.HasPrefix(string(text), "Attribution 4.0 International") {
		t.Errorf("the licence is not beside the data: %v", err)
	}
}

func checkCities(t *testing.T, rows *csv.Reader) int {
	t.Helper()
	for n := 1; ; n++ {
		row, err := rows.Read()
		if err == io.EOF {
			return n - 1
		}
		if err != nil {
			t.Fatal(err)
		}
		if row[0] != strconv.Itoa(n) || row[1] == "" || len(row[2]) != 2 {
			t.Fatalf("row %d: %v", n, row)
		}
		for _, degrees := range row[5:] {
			if _, err := strconv.ParseFloat(degrees, 64); err != nil {
				t.Fatalf("row %d: %v", n, err)
			}
		}
	}
}
