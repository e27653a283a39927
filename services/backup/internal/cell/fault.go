package cell

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/naksha-cloud/naksha/pkg/fault"
)

// closePatience bounds the goodbye to a server that may not answer any more.
const closePatience = 2 * time.Second

// unwrapConnect makes a failed connect a fault that says whether to try again, without user text or addresses.
func unwrapConnect(err error) error {
	var refused *pgconn.PgError
	if errors.As(err, &refused) && len(refused.Code) == 5 && refused.Code[:2] == "28" {
		return fault.Unavailable("CELL_LOGIN_REFUSED", "The customer database refuses the platform's login.").
			WithRemedy("Try again; if it stays, rotate the credential.").WithCause(err)
	}
	return fault.Unavailable("CELL_UNAVAILABLE", "The customer database does not answer.").
		WithRemedy("Try again.").WithCause(err)
}

// LoginRefused says that the server did not accept the login.
func LoginRefused(err error) bool { return fault.ReasonOf(err) == "CELL_LOGIN_REFUSED" }

func closeConn(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closePatience)
	defer cancel()
	_ = conn.Close(ctx) // the server ends the session by itself
}

func state(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
