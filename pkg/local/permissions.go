package local

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
	"go.yaml.in/yaml/v3"
)

// Permissions say which user may publish and subscribe to which subjects of the bus. They are read from
// deploy/k8s/nats/permissions.yaml, in production and here.
type Permissions struct {
	users map[string]rights
}

// rights are complete subjects, templates expanded.
type rights struct {
	Publish   []string `yaml:"publish"`
	Subscribe []string `yaml:"subscribe"`
}

// permissionFile is the shape of the file; its comments describe the templates.
type permissionFile struct {
	Services []string          `yaml:"services"`
	Service  rights            `yaml:"service"`
	Users    map[string]rights `yaml:"users"`
}

// ParsePermissions reads the permission file and expands its templates. Unknown fields, unknown templates, malformed
// subjects and users that are named twice are refused: a typing error must not open or close a wall silently.
func ParsePermissions(content []byte) (Permissions, error) {
	var file permissionFile
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		return Permissions{}, fmt.Errorf("read NATS permissions: %w", err)
	}
	if len(file.Services) == 0 {
		return Permissions{}, errors.New("read NATS permissions: no services")
	}
	p := Permissions{users: map[string]rights{}}
	for _, service := range file.Services {
		if err := p.add(service, file.Service, file.Services); err != nil {
			return Permissions{}, err
		}
	}
	for _, user := range slices.Sorted(maps.Keys(file.Users)) {
		if err := p.add(user, file.Users[user], file.Services); err != nil {
			return Permissions{}, err
		}
	}
	return p, nil
}

// Users returns the names of all users in order.
func (p Permissions) Users() []string { return slices.Sorted(maps.Keys(p.users)) }

// Publish returns the subjects that a user may publish to.
func (p Permissions) Publish(user string) []string { return slices.Clone(p.users[user].Publish) }

// Subscribe returns the subjects that a user may subscribe to.
func (p Permissions) Subscribe(user string) []string { return slices.Clone(p.users[user].Subscribe) }

func (p Permissions) add(user string, template rights, services []string) error {
	if !regexp.MustCompile(`^[a-z][a-z0-9-]*$`).MatchString(user) {
		return fmt.Errorf("NATS permissions: %q is no name for a user", user)
	}
	if _, there := p.users[user]; there {
		return fmt.Errorf("NATS permissions: user %s is named twice", user)
	}
	publish, err := expand(template.Publish, user, services)
	if err != nil {
		return fmt.Errorf("NATS permissions: user %s may publish: %w", user, err)
	}
	subscribe, err := expand(template.Subscribe, user, services)
	if err != nil {
		return fmt.Errorf("NATS permissions: user %s may subscribe: %w", user, err)
	}
	p.users[user] = rights{Publish: publish, Subscribe: subscribe}
	return nil
}

// expand fills in the templates of subjects.
func expand(subjects []string, user string, services []string) ([]string, error) {
	var out []string
	for _, subject := range subjects {
		streams := []string{""}
		if strings.Contains(subject, "{stream}") {
			streams = services
		}
		for _, stream := range streams {
			full := strings.NewReplacer("{svc}", user, "{own}", streamName(user), "{stream}", streamName(stream)).Replace(subject)
			if !server.IsValidSubject(full) || strings.ContainsAny(full, "{}") {
				return nil, fmt.Errorf("%q is no subject", subject)
			}
			out = append(out, full)
		}
	}
	return out, nil
}

func streamName(service string) string { return strings.ToUpper(service) }

// serverPermissions renders a user's rights for the embedded server. A missing list would mean "everything" there, so
// an empty one is spelled out.
func (r rights) serverPermissions() *server.Permissions {
	only := func(subjects []string) *server.SubjectPermission {
		if len(subjects) == 0 {
			return &server.SubjectPermission{Deny: []string{">"}}
		}
		return &server.SubjectPermission{Allow: subjects}
	}
	return &server.Permissions{Publish: only(r.Publish), Subscribe: only(r.Subscribe)}
}
