package conf

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// redacted is what a Secret shows of itself.
const redacted = "REDACTED"

// Secret is a string that shows itself to nobody but Reveal: not to fmt, slog, JSON or YAML.
type Secret string

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String says REDACTED, or nothing when the secret is empty.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString says REDACTED for %#v.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// Format says REDACTED for every verb, %x and %q too.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// LogValue says REDACTED in logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON says REDACTED.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// MarshalText says REDACTED, which YAML and map keys use.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Size is a number of bytes, read from "64MiB", "10MB" or "4096".
type Size int64

// sizeUnits by falling length, so that "MiB" is tried before "B".
var sizeUnits = []struct {
	suffix string
	bytes  float64
}{
	{"KiB", 1 << 10},
	{"MiB", 1 << 20},
	{"GiB", 1 << 30},
	{"TiB", 1 << 40},
	{"kB", 1e3},
	{"KB", 1e3},
	{"MB", 1e6},
	{"GB", 1e9},
	{"TB", 1e12},
	{"B", 1},
	{"", 1},
}

// UnmarshalText reads a size; it refuses negative and fractional bytes.
func (s *Size) UnmarshalText(text []byte) error {
	in := strings.TrimSpace(string(text))
	for _, unit := range sizeUnits {
		number, ok := strings.CutSuffix(in, unit.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		n *= unit.bytes
		if err != nil || n < 0 || n >= math.MaxInt64 || n != math.Trunc(n) {
			return fmt.Errorf("size %q: want a whole number of bytes such as 64MiB, 10MB or 4096", in)
		}
		*s = Size(n)
		return nil
	}
	return nil
}

// String writes the size with the largest binary unit that divides it.
func (s Size) String() string {
	for i := 3; i >= 0; i-- {
		if unit := int64(sizeUnits[i].bytes); s != 0 && int64(s)%unit == 0 {
			return strconv.FormatInt(int64(s)/unit, 10) + sizeUnits[i].suffix
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// refuseBareDuration refuses a duration without a unit, which YAML would read as nanoseconds.
func refuseBareDuration(from, to reflect.Type, value any) (any, error) {
	if to == reflect.TypeFor[time.Duration]() && from != to && from.Kind() != reflect.String {
		return nil, fmt.Errorf("duration %v has no unit: write 5s, 10m or 1h", value)
	}
	return value, nil
}
