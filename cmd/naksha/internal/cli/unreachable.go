package cli

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
	"github.com/naksha-cloud/naksha/pkg/fault"
)

// explain says in a sentence with a remedy why no gateway answered. What a gateway answered passes: it explains itself.
func (t target) explain(ctx context.Context, method string, q, r any, c *grpc.ClientConn, invoke grpc.UnaryInvoker, o ...grpc.CallOption) error {
	err := invoke(ctx, method, q, r, c, o...)
	if s, ok := status.FromError(err); err != nil && ok && len(s.Details()) == 0 {
		return t.unanswered(s, err)
	}
	return err
}

func (t target) unanswered(s *status.Status, err error) error {
	if strings.Contains(s.Message(), "unexpected content-type") || strings.Contains(s.Message(), "unexpected HTTP status") {
		return t.noGateway().WithCause(err)
	}
	switch s.Code() {
	case codes.Unavailable:
		return t.unreachable(s.Message()).WithCause(err)
	case codes.DeadlineExceeded:
		return fault.New(codes.DeadlineExceeded, "GATEWAY_TIMEOUT", "%s did not answer in time.", t.Server).
			WithRemedy("Try again; if it stays, check --server and the network.").WithCause(err)
	case codes.Canceled:
		return fault.New(codes.Canceled, "INTERRUPTED", "You stopped waiting for %s; what you asked for may be done all the same.", t.Server).
			WithRemedy("Look before you ask again.").WithCause(err)
	default:
		return err
	}
}

// unreachable tells by what gRPC and the packages net, tls and x509 say why no connection came about.
func (t target) unreachable(why string) *fault.Fault {
	has := func(text string) bool { return strings.Contains(why, text) }
	switch {
	case has("x509: certificate signed by unknown authority"):
		return fault.Unavailable("CA_UNKNOWN", "The certificate of %s is signed by a CA that is not trusted here.", t.Server).
			WithRemedy("Name the CA's file with --ca-file; that of a platform made by `naksha up` is ca.crt in its state directory.")
	case has("x509: "):
		_, text, _ := strings.Cut(why, "x509: ")
		return fault.Unavailable("CERTIFICATE_REFUSED", "The certificate of %s is refused: %s.", t.Server, strings.TrimRight(text, `"`)).
			WithRemedy("Name the gateway in --server as its certificate does.")
	case has("produced zero addresses"), has("no such host"):
		return fault.Unavailable("HOST_UNKNOWN", "The host of %s is not known.", t.Server).WithRemedy("Correct --server.")
	case has("first record does not look like"), has("ALPN"):
		return t.noGateway()
	case t.dir != "":
		return fault.Unavailable("NOT_RUNNING", "The platform of %s does not answer at %s.", t.dir, t.Server).
			WithRemedy("Start it with `naksha up --dir %s`.", up.Quoted(t.dir))
	default:
		return fault.Unavailable("GATEWAY_UNREACHABLE", "%s does not answer.", t.Server).
			WithRemedy("Check --server, and that the platform there runs.")
	}
}

func (t target) noGateway() *fault.Fault {
	return fault.Unavailable("NO_GATEWAY", "What answers at %s is no gateway of Naksha Cloud.", t.Server).WithRemedy("Correct --server.")
}
