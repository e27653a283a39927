// Package playbook reads who is told about what from YAML: the embedded escalation matrix, and an operator's file over
// it. It refuses a file with a key that it does not know, and a policy that could tell nobody.
package playbook

import (
	"bytes"
	_ "embed" // policies.yaml
	"errors"
	"fmt"
	"io"
	"net/mail"
	"net/url"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/naksha-cloud/naksha/services/alerting/internal/calendar"
	"github.com/naksha-cloud/naksha/services/alerting/internal/policy"
	"github.com/naksha-cloud/naksha/services/alerting/internal/severity"
)

//go:embed policies.yaml
var embedded []byte

// Playbook is what the file says.
type Playbook struct {
	Book    policy.Book
	GroupBy []string // labels that make a group
}

// file is the YAML form; a pointer or nil map is a section that is not there.
type file struct {
	Policies    map[string]filePolicy `yaml:"policies"`
	Areas       map[string]string     `yaml:"areas"`
	Targets     map[string]fileTarget `yaml:"targets"`
	Calendar    *fileCalendar         `yaml:"calendar"`
	ResolveHold *time.Duration        `yaml:"resolve_hold"`
	GroupBy     []string              `yaml:"group_by"`
}

type filePolicy struct {
	Levels      []fileLevel   `yaml:"levels"`
	AckTimeout  time.Duration `yaml:"ack_timeout"`
	RepeatAfter time.Duration `yaml:"repeat_after"`
}

type fileLevel struct {
	At     string   `yaml:"at"`
	Target string   `yaml:"target"`
	Via    []string `yaml:"via"`
}

type fileTarget struct {
	Email   string   `yaml:"email"`
	Webhook fileHook `yaml:"webhook"`
}

type fileHook struct {
	URL        string `yaml:"url"`
	Secret     string `yaml:"secret"`
	SecretFile string `yaml:"secret_file"`
}

type fileCalendar struct {
	Zone     string   `yaml:"zone"`
	Days     []string `yaml:"days"`
	Open     string   `yaml:"open"`
	Close    string   `yaml:"close"`
	Holidays []string `yaml:"holidays"`
}

// areaDefault is the key of Areas that stands for every other area.
const areaDefault = "default"

// Read reads the embedded matrix and, over it, an operator's file; over may be empty. readFile reads secrets' files.
func Read(over []byte, readFile func(path string) ([]byte, error)) (Playbook, error) {
	p := Playbook{Book: policy.Book{
		Policies: map[severity.Severity]policy.Policy{}, Areas: map[string]string{}, Targets: map[string]policy.Target{},
	}}
	if err := p.apply(embedded, readFile); err != nil {
		return Playbook{}, fmt.Errorf("read the embedded policies: %w", err)
	}
	if err := p.apply(over, readFile); err != nil {
		return Playbook{}, err
	}
	return p, p.Book.Validate()
}

func (p *Playbook) apply(text []byte, readFile func(string) ([]byte, error)) error {
	var f file
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for name, described := range f.Policies {
		if err := p.addPolicy(name, described); err != nil {
			return fmt.Errorf("policies.%s: %w", name, err)
		}
	}
	for name, described := range f.Targets {
		target, err := described.target(readFile)
		if err != nil {
			return fmt.Errorf("targets.%s: %w", name, err)
		}
		p.Book.Targets[name] = target
	}
	p.addAreas(f.Areas)
	if f.ResolveHold != nil {
		if *f.ResolveHold < 0 {
			return errors.New("resolve_hold is negative")
		}
		p.Book.ResolveHold = *f.ResolveHold
	}
	if len(f.GroupBy) > 0 {
		p.GroupBy = f.GroupBy
	}
	return p.addCalendar(f.Calendar)
}

func (p *Playbook) addPolicy(name string, described filePolicy) error {
	s := severity.Of(name)
	if s.String() != name {
		return errors.New("the policies are sev1, sev2, sev3 and sev4")
	}
	if described.AckTimeout < 0 || described.RepeatAfter < 0 {
		return errors.New("a duration is negative")
	}
	made := policy.Policy{AckTimeout: described.AckTimeout, RepeatAfter: described.RepeatAfter}
	for i, level := range described.Levels {
		when, err := parseWhen(level.At)
		if err != nil {
			return fmt.Errorf("level %d: %w", i+1, err)
		}
		made.Levels = append(made.Levels, policy.Level{When: when, Target: level.Target, Channels: level.Via})
	}
	p.Book.Policies[s] = made
	return nil
}

func parseWhen(at string) (policy.When, error) {
	switch rule := policy.Rule(at); rule {
	case policy.BusinessHours, policy.NextBusinessDay:
		return policy.When{Rule: rule}, nil
	}
	after, err := time.ParseDuration(at)
	if err != nil || after < 0 {
		return policy.When{}, fmt.Errorf("at: %q: give a duration such as 15m, business_hours or next_business_day", at)
	}
	return policy.When{Rule: policy.After, After: after}, nil
}

func (p *Playbook) addAreas(areas map[string]string) {
	for area, target := range areas {
		if area == areaDefault {
			p.Book.DefaultArea = target
		} else {
			p.Book.Areas[area] = target
		}
	}
}

func (p *Playbook) addCalendar(c *fileCalendar) error {
	if c == nil {
		return nil
	}
	made := calendar.Calendar{Zone: c.Zone, Holidays: c.Holidays}
	var err error
	if made.Open, err = calendar.ParseClock(c.Open); err != nil {
		return fmt.Errorf("calendar.open: %w", err)
	}
	if made.Close, err = calendar.ParseClock(c.Close); err != nil {
		return fmt.Errorf("calendar.close: %w", err)
	}
	for _, name := range c.Days {
		day, err := calendar.ParseDay(name)
		if err != nil {
			return fmt.Errorf("calendar.days: %w", err)
		}
		made.Days = append(made.Days, day)
	}
	p.Book.Calendar = made
	return nil
}

func (t fileTarget) target(readFile func(string) ([]byte, error)) (policy.Target, error) {
	if t.Email != "" {
		if _, err := mail.ParseAddress(t.Email); err != nil {
			return policy.Target{}, fmt.Errorf("email %q is no address", t.Email)
		}
	}
	secret := t.Webhook.Secret
	if t.Webhook.SecretFile != "" {
		text, err := readFile(t.Webhook.SecretFile)
		if err != nil {
			return policy.Target{}, fmt.Errorf("webhook.secret_file: %w", err)
		}
		secret = string(bytes.TrimSpace(text))
	}
	hook, err := Hook(t.Webhook.URL, secret)
	return policy.Target{Email: t.Email, Webhook: hook}, err
}

// Hook checks a webhook's address and secret; both may be empty.
func Hook(address, secret string) (policy.Hook, error) {
	if address == "" {
		return policy.Hook{}, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return policy.Hook{}, errors.New("webhook.url: give an http:// or https:// address without a user")
	}
	if _, err := policy.SigningKey(policy.Secret(secret)); err != nil {
		return policy.Hook{}, fmt.Errorf("webhook.secret: %w", err)
	}
	return policy.Hook{URL: address, Secret: policy.Secret(secret)}, nil
}
