// Package cell owns what a cell is, and the names of everything that the platform makes in one: login generations,
// staged and kept schemas. It refuses names that do not follow from a ref, a generation or a restore's id.
package cell

import (
	"strings"

	"github.com/naksha-cloud/naksha/pkg/fault"
)

// Cell is a database that holds workspaces' schemas.
type Cell struct {
	ID            string
	Server        string // id
	Host          string // for customers
	Port          int
	Database      string
	TLSParameters string // sslmode and sslrootcert of a connection string
	Inside        Address
}

// Address is where the platform's own services connect, with logins that customers' address does not take.
type Address struct {
	Host          string
	Port          int
	TLSParameters string
}

// Name is the resource name `cells/{id}`.
func Name(id string) string { return "cells/" + id }

// ServerName is the resource name `servers/{id}`.
func ServerName(id string) string { return "servers/" + id }

// ParseServer reads the id out of `servers/{id}`.
func ParseServer(name string) (id string, ok bool) { return strings.CutPrefix(name, "servers/") }

// Unreachable is the answer while a cell does not answer.
func Unreachable(cause error) error {
	return fault.Unavailable("CELL_UNAVAILABLE", "The database cell is not reachable at the moment.").
		WithRemedy("Try again.").WithRetryAfter(retryAfter).WithCause(cause)
}

// ServerNotFound is the answer to a server that holds no cell.
func ServerNotFound(id string) error {
	return fault.NotFound("SERVER_NOT_FOUND", "There is no server %s.", id).WithRemedy("Check the server's name.")
}
