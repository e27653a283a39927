package up

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/file"
	"github.com/naksha-cloud/naksha/pkg/local"
)

// Endpoints are where a running platform answers. The CLI reads them from the state directory.
type Endpoints struct {
	Gateway      string `json:"gateway"`        // https://host:port, gRPC and REST
	CAFile       string `json:"ca_file"`        // CA of the gateway's and the databases' certificates
	AdminKeyFile string `json:"admin_key_file"` // 0600
	NATS         string `json:"nats"`           // nats://host:port
	Cell         string `json:"cell"`           // host:port of the first cell's Postgres
	S3Primary    string `json:"s3_primary"`
	S3DR         string `json:"s3_dr"`
	Alerting     string `json:"alerting"` // http://host:port, /api/v2/alerts
	Admin        string `json:"admin"`    // http://host:port, /metrics /livez /readyz /loglevel
	PID          int    `json:"pid"`      // of `naksha up`
	Version      string `json:"version"`
	// Processes are the process ids by part: the five services, and the private servers platform, cell1, s3-primary and
	// s3-dr. The file is written anew when one of them dies and comes back.
	Processes map[string]int `json:"processes"`
	// Admins are the admin listeners of services that are processes of their own; Admin shows them all together, profiles
	// apart.
	Admins map[string]string `json:"admins,omitempty"`
	// Platform is host:port of the platform database's server.
	Platform string `json:"platform"`
}

func (s *state) writeEndpoints(e Endpoints) error {
	content, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	return file.Replace(s.path(fileEndpoints), append(content, '\n'), 0o644)
}

// ReadEndpoints reads where the platform of a state directory answers, or answered last. The error says how to start it.
func ReadEndpoints(dir string) (Endpoints, error) {
	var e Endpoints
	content, err := os.ReadFile(filepath.Join(dir, fileEndpoints))
	if errors.Is(err, fs.ErrNotExist) {
		return e, fault.Unavailable("NOT_RUNNING", "No platform has run in %s.", dir).
			WithRemedy("Start one with `naksha up --dir %s`, or name another with --dir or --server.", Quoted(dir))
	}
	if err == nil {
		err = json.Unmarshal(content, &e)
	}
	if err != nil {
		return e, fmt.Errorf("read endpoints of %s: %w", dir, err)
	}
	return e, nil
}

// Quoted is text as a shell takes it for one word.
func Quoted(text string) string {
	odd := func(r rune) bool { return !strings.ContainsRune(plain, r) }
	if text != "" && !strings.ContainsFunc(text, odd) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// plain are the characters that mean nothing to a shell.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./+:@%,"

// Endpoints are where the started platform answers.
func (p *Platform) Endpoints() Endpoints {
	c, regions := p.config.Ports, p.regions()
	e := Endpoints{
		Gateway: "https://" + p.publicHost(c.Gateway), CAFile: p.state.caFile(), AdminKeyFile: p.state.path(fileAdminKey),
		NATS: p.natsURL(), Cell: hostPort(p.cellURL(), "5432"),
		S3Primary: regions[0].Endpoint, S3DR: regions[1].Endpoint,
		Alerting: "http://" + p.address(c.Alerting), Admin: "http://" + p.address(c.Admin),
		PID: os.Getpid(), Version: p.config.Version, Processes: p.pids(), Admins: p.admins(),
		Platform: hostPort(p.platformURL(), "5432"),
	}
	p.show(&e)
	return e
}

func (p *Platform) admins() map[string]string {
	if !p.config.Processes {
		return nil
	}
	all := map[string]string{}
	for name, port := range p.adminPorts {
		all[name] = "http://" + p.address(port)
	}
	return all
}

// pids are the process ids of what runs now.
func (p *Platform) pids() map[string]int {
	all := map[string]int{}
	p.live.Lock()
	services := maps.Clone(p.services)
	p.live.Unlock()
	for name, s := range services {
		all[name] = os.Getpid()
		if child, ok := s.(*process); ok {
			all[name] = child.PID()
		}
	}
	if server := p.platform.Load(); server != nil {
		all["platform"] = server.PID()
	}
	if server := p.cell.Load(); server != nil {
		all[cellName] = server.PID()
	}
	for name, region := range map[string]*local.Region{"s3-primary": p.primary.Load(), "s3-dr": p.dr.Load()} {
		if region != nil {
			all[name] = region.PID()
		}
	}
	return all
}

// tell leaves in the state directory what the CLI and outsiders need.
func (p *Platform) tell(context.Context) error {
	p.telling.Lock()
	defer p.telling.Unlock()
	p.told = true
	tap := []byte(p.natsPassword("subscriber") + "\n")
	return errors.Join(file.Replace(p.state.path(fileTap), tap, 0o600), p.state.writeEndpoints(p.Endpoints()), p.state.markServed())
}

// retell writes the endpoints anew after a process was replaced, if they were told before.
func (p *Platform) retell() {
	p.telling.Lock()
	defer p.telling.Unlock()
	if !p.told {
		return
	}
	if err := p.state.writeEndpoints(p.Endpoints()); err != nil {
		p.log("up").Error("the endpoints could not be written", "error", err)
	}
}

// untell ends the writing of endpoints: what stops is not replaced any more.
func (p *Platform) untell(context.Context) error {
	p.telling.Lock()
	defer p.telling.Unlock()
	p.told = false
	return nil
}
