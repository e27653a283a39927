package demo

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

func TestMain(m *testing.M) { os.Exit(localtest.Run(m)) }

func TestCitiesAreReadAsTheyAre(t *testing.T) {
	t.Parallel()
	want := heading + "\n1,Canillo,AD,02,,42.5676,1.59756\n"
	cities, err := openCities(zipped(t, want))
	if err != nil {
		t.Fatal(err)
	}
	defer cities.Close()
	if got, err := io.ReadAll(cities); err != nil || string(got) != want {
		t.Errorf("read %q, %v; want %q", got, err, want)
	}
}

func TestOtherDataIsRefused(t *testing.T) {
	t.Parallel()
	plain := filepath.Join(t.TempDir(), "plain.csv")
	if err := os.WriteFile(plain, []byte(heading), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		plain:                   "no gzip file",
		zipped(t, "id,town\n1"): "begins with",
		zipped(t, ""):           "begins with",
		plain + ".gone":         "no such file",
	} {
		if _, err := openCities(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
}

func TestMissingDataNamesTheRemedy(t *testing.T) {
	t.Parallel()
	beside := t.TempDir()
	_, err := FindData("", filepath.Join(beside, "bin", "naksha"))
	if err == nil || !strings.Contains(err.Error(), "--data") {
		t.Errorf("got %v, want the remedy", err)
	}
	if _, err := FindData(filepath.Join(beside, "none"), ""); err == nil || !strings.Contains(err.Error(), "--data") {
		t.Errorf("named: got %v, want the remedy", err)
	}
	data := filepath.Join(beside, dataFile)
	if err := errors.Join(os.MkdirAll(filepath.Dir(data), 0o755), os.WriteFile(data, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if got, err := FindData("", filepath.Join(beside, "bin", "naksha")); err != nil || got != data {
		t.Errorf("found %q, %v; want %q", got, err, data)
	}
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var content bytes.Buffer
	w := gzip.NewWriter(&content)
	_, err := w.Write([]byte(text))
	path := filepath.Join(t.TempDir(), "cities.csv.gz")
	if err := errors.Join(err, w.Close(), os.WriteFile(path, content.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPercentileIsTheNearestRank(t *testing.T) {
	t.Parallel()
	measured := []time.Duration{5, 1, 4, 2, 3}
	for p, want := range map[int]time.Duration{0: 1, 20: 1, 50: 3, 80: 4, 99: 5, 100: 5} {
		if got := percentile(measured, p); got != want {
			t.Errorf("p%d: got %d, want %d", p, got, want)
		}
	}
	if got := percentile(nil, 50); got != 0 {
		t.Errorf("nothing measured: got %v", got)
	}
}

func TestWaitingEndsWithItsReason(t *testing.T) {
	t.Parallel()
	ctx, cancel := bounded(t.Context(), time.Millisecond, "the restore")
	defer cancel()
	err := until(ctx, time.Millisecond, func() (bool, error) { return false, nil })
	if err == nil || !strings.Contains(err.Error(), "the restore takes longer") {
		t.Errorf("got %v", err)
	}
	broken := errors.New("broken")
	if err := until(context.Background(), time.Millisecond, func() (bool, error) { return false, broken }); !errors.Is(err, broken) {
		t.Errorf("got %v, want the answer's error", err)
	}
}

func TestRequestIDsAreUUIDsAndDiffer(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	if a, b := newID(), newID(); !form.MatchString(a) || a == b {
		t.Errorf("got %q and %q", a, b)
	}
}

func TestObjectsAreTheSameEachTime(t *testing.T) {
	t.Parallel()
	first, size := shopObjects()
	second, _ := shopObjects()
	if len(first) != objects || size < 4<<20 {
		t.Errorf("%d objects with %d bytes", len(first), size)
	}
	for name, body := range first {
		if !bytes.Equal(body, second[name]) {
			t.Errorf("object %q differs", name)
		}
	}
}

func TestWorkingFolderMustBeEmpty(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := emptyFolder(filepath.Join(dir, "new")); err != nil {
		t.Errorf("a new one: %v", err)
	}
	if err := emptyFolder(dir); err == nil || !strings.Contains(err.Error(), "--dir") {
		t.Errorf("a used one: got %v, want the remedy", err)
	}
}
