package demo

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// dataFile is the world cities inside a clone, and beside an installed program's folder.
const dataFile = "examples/data/cities.csv.gz"

// heading is the first line of the data.
const heading = "id,name,country,admin1,admin2,lat,lng"

// FindData returns the file with the world cities: the named one, else the one of the clone that we stand in or that
// the program was built in. The error names the remedy.
func FindData(named, binary string) (string, error) {
	if named != "" {
		if _, err := os.Stat(named); err != nil {
			return "", fmt.Errorf("world cities: %w: name the file with --data", err)
		}
		return named, nil
	}
	tried := []string{dataFile, filepath.Join(filepath.Dir(binary), "..", dataFile)}
	for _, path := range tried {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no world cities at %s nor at %s: run in a clone of the repository, or name the file with --data", tried[0], tried[1])
}

// checkCities refuses a file that is something else, before anything is started.
func checkCities(path string) error {
	cities, err := openCities(path)
	if err != nil {
		return fmt.Errorf("%w: name another file with --data", err)
	}
	return cities.Close()
}

// openCities opens the data as CSV with its heading, and refuses a file that is something else.
func openCities(path string) (io.ReadCloser, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("world cities: %w", err)
	}
	unzipped, err := gzip.NewReader(bufio.NewReaderSize(file, 1<<16))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("world cities: %s is no gzip file: %w", path, err), file.Close())
	}
	text := bufio.NewReaderSize(unzipped, 1<<16)
	if first, _ := text.Peek(len(heading)); string(first) != heading {
		return nil, errors.Join(fmt.Errorf("world cities: %s begins with %.40q instead of %q", path, first, heading), file.Close())
	}
	return &cityReader{Reader: text, file: file}, nil
}

type cityReader struct {
	io.Reader
	file *os.File
}

func (r *cityReader) Close() error { return r.file.Close() }
