package outbox

import "github.com/naksha-cloud/naksha/pkg/bus"

// Envelope is a fact as it travels, for tests.
func Envelope(service string, e Event) bus.Message { return envelope(service, e) }
