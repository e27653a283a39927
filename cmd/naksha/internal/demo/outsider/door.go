package outsider

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// callTimeout bounds each call that has no deadline of its own.
const callTimeout = time.Minute

// Door is the platform's gateway as the holder of one API key sees it: gRPC and REST at the same address.
type Door struct {
	base string // https://host:port
	key  string
	tls  *tls.Config
	http *http.Client
	grpc *grpc.ClientConn
}

// OpenDoor returns a client of the gateway. Its certificate must be signed by the given CA. An empty key sends none.
func OpenDoor(base string, caPEM []byte, key string) (*Door, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(caPEM) {
		return nil, errors.New("the gateway's CA is no certificate in PEM form")
	}
	return openDoor(base, key, &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots})
}

func openDoor(base, key string, config *tls.Config) (*Door, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("gateway address: %w", err)
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(credentials.NewTLS(config)), grpc.WithUnaryInterceptor(withDeadline),
	}
	if key != "" {
		options = append(options, grpc.WithPerRPCCredentials(bearer(key)))
	}
	conn, err := grpc.NewClient(u.Host, options...)
	if err != nil {
		return nil, fmt.Errorf("gateway client: %w", err)
	}
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	return &Door{base: base, key: key, tls: config, grpc: conn, http: &http.Client{Transport: transport, Timeout: callTimeout}}, nil
}

// With is the same gateway with another key.
func (d *Door) With(key string) (*Door, error) { return openDoor(d.base, key, d.tls) }

// Close ends its connections.
func (d *Door) Close() {
	d.grpc.Close()
	d.http.CloseIdleConnections()
}

// GRPC is the connection for generated clients.
func (d *Door) GRPC() grpc.ClientConnInterface { return d.grpc }

// REST makes one call, messages as JSON in the proto mapping; a nil body or reply is none. A refusal is a *Problem.
func (d *Door) REST(ctx context.Context, method, path string, body, reply proto.Message) error {
	var content []byte
	if body != nil {
		var err error
		if content, err = protojson.Marshal(body); err != nil {
			return fmt.Errorf("write the request: %w", err)
		}
	}
	text, err := d.send(ctx, method, path, content)
	if err != nil || reply == nil {
		return err
	}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(text, reply); err != nil {
		return fmt.Errorf("read the reply: %w", err)
	}
	return nil
}

func (d *Door) send(ctx context.Context, method, path string, content []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, d.base+path, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	if d.key != "" {
		request.Header.Set("Authorization", "Bearer "+d.key)
	}
	if content != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := d.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	if err != nil {
		return nil, err
	}
	if response.StatusCode/100 != 2 {
		return nil, readProblem(response.StatusCode, text)
	}
	return text, nil
}

// Problem is a refusal over REST (RFC 9457).
type Problem struct {
	Status int    `json:"status"`
	Reason string `json:"reason"`
	Detail string `json:"detail"`
	Remedy string `json:"remedy"`
}

func readProblem(status int, text []byte) error {
	p := &Problem{}
	if json.Unmarshal(text, p) != nil || p.Reason == "" {
		return fmt.Errorf("HTTP %d without a problem document: %.200s", status, text)
	}
	p.Status = status
	return p
}

// Error is one sentence.
func (p *Problem) Error() string { return fmt.Sprintf("HTTP %d %s: %s", p.Status, p.Reason, p.Detail) }

// Reason is the stable name of a refusal, over gRPC and REST alike; "" for any other error.
func Reason(err error) string {
	var problem *Problem
	if errors.As(err, &problem) {
		return problem.Reason
	}
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}

// bearer presents an API key with every call, over TLS only.
type bearer string

// GetRequestMetadata returns the authorization header.
func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

// RequireTransportSecurity says that a key never travels in the clear.
func (bearer) RequireTransportSecurity() bool { return true }

func withDeadline(ctx context.Context, method string, q, r any, c *grpc.ClientConn, invoke grpc.UnaryInvoker, o ...grpc.CallOption) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return invoke(ctx, method, q, r, c, o...)
}
