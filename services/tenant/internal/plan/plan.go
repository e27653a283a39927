// Package plan owns what a customer's plan allows. It refuses unknown plans.
package plan

import "github.com/naksha-cloud/naksha/pkg/fault"

// Free is the plan of whoever names none; slots are built with its limits.
const Free = "free"

// Plan is a set of limits.
type Plan struct {
	Name        string
	Connections int // sessions that one login generation may hold at the cell
}

// Find returns the plan of a name; empty = Free.
func Find(name string) (Plan, error) {
	switch name {
	case "", Free:
		return Plan{Name: Free, Connections: 10}, nil
	case "pro":
		return Plan{Name: "pro", Connections: 40}, nil
	case "enterprise":
		return Plan{Name: "enterprise", Connections: 100}, nil
	}
	return Plan{}, fault.Invalid("PLAN_UNKNOWN", "There is no such plan.").
		WithRemedy("Choose free, pro or enterprise.").WithField("plan", "must be free, pro or enterprise")
}
