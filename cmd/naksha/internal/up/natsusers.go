package up

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/naksha-cloud/naksha/pkg/local"
)

// NATSUsers is the part of a NATS server's configuration that lets in the services of the platform in dir, with their
// permissions and passwords. The state directory is made when there is none.
func NATSUsers(dir string) (string, error) {
	s, err := readState(dir)
	if err != nil {
		return "", err
	}
	rules, err := local.ParsePermissions(permissions)
	if err != nil {
		return "", fmt.Errorf("NATS permissions: %w", err)
	}
	return natsConfig(rules, s.password), nil
}

// natsConfig renders users in the form of a nats-server's configuration file. What is not allowed is refused.
func natsConfig(rules local.Permissions, password func(user string) string) string {
	var b strings.Builder
	b.WriteString("# Users of one Naksha Cloud platform: include this in the server's configuration, and keep it secret (mode 0600).\n" +
		"# The server also needs `jetstream { store_dir: …, sync_interval: always }`: without it power loss loses facts.\n" +
		"authorization {\n  users = [\n")
	for _, user := range rules.Users() {
		fmt.Fprintf(&b, "    { user: %s, password: %s, permissions: { publish: %s, subscribe: %s } }\n",
			strconv.Quote(user), strconv.Quote(password("nats/"+user)), natsSubjects(rules.Publish(user)), natsSubjects(rules.Subscribe(user)))
	}
	b.WriteString("  ]\n}\n")
	return b.String()
}

// natsSubjects renders a list; an absent one would mean everything.
func natsSubjects(allowed []string) string {
	if len(allowed) == 0 {
		return `{ deny: [">"] }`
	}
	quoted := make([]string, len(allowed))
	for i, subject := range allowed {
		quoted[i] = strconv.Quote(subject)
	}
	return "{ allow: [" + strings.Join(quoted, ", ") + "] }"
}
