package conf_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/conf"
)

type database struct {
	URL      string      `conf:"url" doc:"Connection string."`
	Password conf.Secret `conf:"password" doc:"Password of the login."`
}

type level struct {
	Name string        `conf:"name"`
	Wait time.Duration `conf:"wait"`
}

type config struct {
	Addr     string            `conf:"addr" doc:"Where to listen."`
	Database database          `conf:"database"`
	Poll     time.Duration     `conf:"poll" doc:"Between two looks."`
	Max      conf.Size         `conf:"max" doc:"Largest message."`
	Workers  int               `conf:"workers"`
	Debug    bool              `conf:"debug"`
	Regions  []string          `conf:"regions"`
	Levels   []level           `conf:"levels"`
	Labels   map[string]string `conf:"labels"`
	Log      slog.Level        `conf:"log"`
	Ignored  func()
}

func defaults() config {
	return config{Addr: "127.0.0.1:1", Poll: time.Second, Max: 4 << 20, Workers: 2, Regions: []string{"a", "b", "c"}}
}

func write(t *testing.T, content string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEnvironmentWinsOverFileOverDefaults(t *testing.T) {
	t.Parallel()
	file := write(t, `
addr: 127.0.0.1:2
poll: 5s
max: 1MiB
database: {url: "postgres://file"}
regions: [x]
levels: [{name: one, wait: 1m}]
labels: {team: core, tier.sub: "1"}
`, 0o644)
	got := defaults()
	err := conf.Load(&got, conf.Options{Prefix: "NAKSHA_TENANT", File: file, Environ: []string{
		"NAKSHA_TENANT_DATABASE_URL=postgres://env", "NAKSHA_TENANT_WORKERS=9", "NAKSHA_TENANT_DEBUG=true",
		"NAKSHA_TENANT_LOG=warn", "NAKSHA_BACKUP_NONSENSE=1", "NAKSHA_TENANT_PORT_7800_TCP_ADDR=10.0.0.1",
	}, Lookup: func(name string) (string, bool) { return "7s", name == "NAKSHA_TENANT_POLL" }})
	if err != nil {
		t.Fatal(err)
	}
	want := config{
		Addr: "127.0.0.1:2", Database: database{URL: "postgres://env"}, Poll: 7 * time.Second, Max: 1 << 20, Workers: 9,
		Debug: true, Regions: []string{"x"}, Levels: []level{{"one", time.Minute}},
		Labels: map[string]string{"team": "core", "tier.sub": "1"}, Log: slog.LevelWarn,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("config =\n%+v, want\n%+v", got, want)
	}
}

func TestEmptyFileChangesNothing(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", "# nothing\n", "{}"} {
		got := defaults()
		if err := conf.Load(&got, conf.Options{Prefix: "N", File: write(t, content, 0o644)}); err != nil || !reflect.DeepEqual(got, defaults()) {
			t.Errorf("%q: %+v, %v", content, got, err)
		}
	}
}

func TestSquashedStructAddsItsFieldsWithoutAName(t *testing.T) {
	t.Parallel()
	var got struct {
		Shared database `conf:",squash"`
		Own    string   `conf:"own"`
	}
	file := write(t, "url: u\nown: o", 0o644)
	err := conf.Load(&got, conf.Options{Prefix: "N", File: file, Environ: []string{"N_PASSWORD=p"}})
	if err != nil || got.Shared != (database{URL: "u", Password: "p"}) || got.Own != "o" {
		t.Errorf("config = %+v, %v", got, err)
	}
}

func TestListFromEnvironment(t *testing.T) {
	t.Parallel()
	got := defaults()
	if err := conf.Load(&got, conf.Options{Prefix: "N", Environ: []string{"N_REGIONS=p, q,"}}); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Regions, []string{"p", "q"}) {
		t.Errorf("regions = %q", got.Regions)
	}
}

func TestMistakesNameTheirRemedy(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		file    string
		environ []string
		want    string
	}{
		"mistyped key":      {file: "adr: x", want: `unknown key "adr"; did you mean "addr"?`},
		"nested key":        {file: "database: {urll: x}", want: `did you mean "database.url"?`},
		"mistyped variable": {environ: []string{"N_DATABSE_URL=x"}, want: `did you mean "N_DATABASE_URL"?`},
		"far from all":      {environ: []string{"N_ZZZZZZZZZZZZZZZZZZ=x"}, want: `unknown variable "N_ZZZZZZZZZZZZZZZZZZ"`},
		"key in a list":     {file: "levels: [{nam: x}]", want: "nam"},
		"bad duration":      {environ: []string{"N_POLL=5 bananas"}, want: "poll"},
		"no unit":           {file: "poll: 5", want: "has no unit"},
		"bad size":          {environ: []string{"N_MAX=1.5B"}, want: "64MiB"},
		"bad number":        {environ: []string{"N_WORKERS=many"}, want: "workers"},
		"not YAML":          {file: "a: [", want: "read configuration"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, options := defaults(), conf.Options{Prefix: "N", Environ: test.environ}
			if test.file != "" {
				options.File = write(t, test.file, 0o644)
			}
			if err := conf.Load(&got, options); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want %q in it", err, test.want)
			}
		})
	}
}

func TestListsAndMapsComeFromTheEnvironment(t *testing.T) {
	t.Parallel()
	got := defaults()
	environ := []string{"N_REGIONS=x, y", "N_LABELS=team=core, url=http://a/?b=c,"}
	if err := conf.Load(&got, conf.Options{Prefix: "N", Environ: environ}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Regions, []string{"x", "y"}) || got.Labels["team"] != "core" || got.Labels["url"] != "http://a/?b=c" {
		t.Errorf("regions %q, labels %q", got.Regions, got.Labels)
	}
	err := conf.Load(&got, conf.Options{Prefix: "N", Environ: []string{"N_LABELS=core"}})
	if err == nil || !strings.Contains(err.Error(), "write name=value,name=value") {
		t.Errorf("error = %v, want the remedy", err)
	}
}

func TestSecretComesFromPrivateFile(t *testing.T) {
	t.Parallel()
	got, path := defaults(), write(t, "s3cret\n", 0o600)
	if err := conf.Load(&got, conf.Options{Prefix: "N", Environ: []string{"N_DATABASE_PASSWORD_FILE=" + path}}); err != nil {
		t.Fatal(err)
	}
	if got.Database.Password.Reveal() != "s3cret" {
		t.Errorf("password = %q", got.Database.Password.Reveal())
	}
	viaYAML := defaults()
	file := write(t, "database: {password_file: "+path+"}", 0o644)
	if err := conf.Load(&viaYAML, conf.Options{Prefix: "N", File: file}); err != nil || viaYAML.Database.Password != "s3cret" {
		t.Errorf("password by YAML = %q, %v", viaYAML.Database.Password.Reveal(), err)
	}
}

func TestSecretFileIsRefusedWhenOthersReadItOrTwoAreGiven(t *testing.T) {
	t.Parallel()
	got := defaults()
	open := write(t, "x", 0o644)
	err := conf.Load(&got, conf.Options{Prefix: "N", Environ: []string{"N_DATABASE_PASSWORD_FILE=" + open}})
	if err == nil || !strings.Contains(err.Error(), "chmod 0600 "+open) {
		t.Errorf("error = %v, want the remedy", err)
	}
	private := write(t, "x", 0o600)
	err = conf.Load(&got, conf.Options{Prefix: "N", Environ: []string{"N_DATABASE_PASSWORD_FILE=" + private, "N_DATABASE_PASSWORD=y"}})
	if err == nil || !strings.Contains(err.Error(), "keep one") {
		t.Errorf("error = %v, want both named", err)
	}
}

func TestSecretNeverShowsItself(t *testing.T) {
	t.Parallel()
	s := conf.Secret("hunter2")
	var log strings.Builder
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	logger.Info("x", "a", s, "b", struct{ S conf.Secret }{s}, "c", []conf.Secret{s})
	j, err := json.Marshal(map[string]any{"s": s})
	if err != nil {
		t.Fatal(err)
	}
	shown := fmt.Sprintf("%v %s %q %x %#v %+v %d", s, s, s, s, s, struct{ S conf.Secret }{s}, s) + string(j) + log.String()
	if strings.Contains(shown, "hunter2") || strings.Contains(shown, fmt.Sprintf("%x", "hunter2")) || !strings.Contains(shown, "REDACTED") {
		t.Errorf("shown: %s", shown)
	}
}

func TestWhatIsWrittenIsReadBackWithItsSecrets(t *testing.T) {
	t.Parallel()
	want := config{
		Addr: "127.0.0.1:2", Database: database{URL: "postgres://x", Password: "s3cret: \"#\n'"}, Poll: 7 * time.Second,
		Max: 1 << 20, Workers: 0, Debug: true, Regions: []string{"x", "y"}, Levels: []level{{"one", time.Minute}},
		Labels: map[string]string{"team": "core"}, Log: slog.LevelWarn,
	}
	content, err := conf.Write(want)
	if err != nil {
		t.Fatal(err)
	}
	got := defaults()
	if err := conf.Load(&got, conf.Options{Prefix: "N", File: write(t, string(content), 0o600)}); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("config =\n%+v, want\n%+v", got, want)
	}
	shown, err := conf.Show(want)
	if err != nil || strings.Contains(string(shown), "s3cret") || !strings.Contains(string(shown), "password: REDACTED") {
		t.Errorf("shown: %s, %v", shown, err)
	}
}

func TestTableDescribesEveryField(t *testing.T) {
	t.Parallel()
	rows, err := conf.Table(defaults(), "NAKSHA_TENANT")
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]conf.Row{}
	for _, r := range rows {
		byName[r.Name] = r
	}
	for _, want := range []conf.Row{
		{Name: "addr", Env: "NAKSHA_TENANT_ADDR", Type: "string", Default: "127.0.0.1:1", Doc: "Where to listen."},
		{Name: "database.password", Env: "NAKSHA_TENANT_DATABASE_PASSWORD", Type: "secret", Doc: "Password of the login."},
		{Name: "poll", Env: "NAKSHA_TENANT_POLL", Type: "duration", Default: "1s", Doc: "Between two looks."},
		{Name: "max", Env: "NAKSHA_TENANT_MAX", Type: "size", Default: "4MiB", Doc: "Largest message."},
		{Name: "regions", Env: "NAKSHA_TENANT_REGIONS", Type: "list", Default: "a,b,c"},
		{Name: "workers", Env: "NAKSHA_TENANT_WORKERS", Type: "integer", Default: "2"},
	} {
		if got := byName[want.Name]; got != want {
			t.Errorf("row = %+v, want %+v", got, want)
		}
	}
	if byName["database.password_file"].Env != "NAKSHA_TENANT_DATABASE_PASSWORD_FILE" {
		t.Error("the secret's file has no row")
	}
}

func TestAmbiguousStructIsRefused(t *testing.T) {
	t.Parallel()
	var clash struct {
		AB string `conf:"a_b"`
		A  struct {
			B string `conf:"b"`
		} `conf:"a"`
	}
	if err := conf.Load(&clash, conf.Options{}); err == nil || !strings.Contains(err.Error(), "share the variable A_B") {
		t.Errorf("error = %v", err)
	}
	if err := conf.Load(new(int), conf.Options{}); err == nil {
		t.Error("accepted an int")
	}
}

func FuzzSize(f *testing.F) {
	for _, s := range []string{"64MiB", "1.5GiB", "-1", "9e30TB", "0", "KiB"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		var a, b conf.Size
		if a.UnmarshalText([]byte(in)) != nil {
			return
		}
		if err := b.UnmarshalText([]byte(a.String())); err != nil || a != b || a < 0 {
			t.Errorf("%q reads as %d, written %q reads as %d (%v)", in, a, a, b, err)
		}
	})
}
