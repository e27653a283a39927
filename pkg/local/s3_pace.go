package local

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/versity/versitygw/s3err"
)

const (
	// patience is how long a client may be silent within a request: in its header, in its body, and in taking the answer.
	patience = 30 * time.Second
	// perByte is the patience that a byte of a body buys back: 8 KiB per second are enough for ever.
	perByte = time.Second / (8 << 10)
	// drainPatience bounds the reading of a body that nobody wants.
	drainPatience = time.Second
)

// pace holds a client to sending.
type pace struct {
	conn    interface{ SetReadDeadline(time.Time) error }
	left    time.Duration // until the client has lost our patience; at most patience
	perByte time.Duration
}

func newPace(conn net.Conn) *pace { return &pace{conn: conn, left: patience, perByte: perByte} }

// read reads what comes from conn. The time that this side takes between reads does not count.
func (p *pace) read(from io.Reader, into []byte) (int, error) {
	begun := time.Now()
	if err := p.conn.SetReadDeadline(begun.Add(p.left)); err != nil {
		return 0, err
	}
	n, err := from.Read(into)
	p.left = min(p.left-time.Since(begun)+time.Duration(n)*p.perByte, patience)
	return n, err
}

func tooSlow() s3err.S3Error {
	return s3err.APIError{
		Code: "RequestTimeout", HTTPStatusCode: http.StatusBadRequest,
		Description: "The request's body came too slowly: 30 seconds without data, or less than 8 KiB per second. Send it again.",
	}
}

// sending is an object's content on its way to a client. Its request keeps its place until it is out.
type sending struct {
	io.ReadCloser
	place *place
	leave func()
}

// send watches over content that storage returned for ctx.
func send(ctx context.Context, content io.ReadCloser) io.ReadCloser {
	p, ok := ctx.Value(placeKey{}).(*place)
	if !ok {
		return content
	}
	p.users.Add(1)
	return &sending{ReadCloser: content, place: p, leave: sync.OnceFunc(p.leave)}
}

// Read reads what is sent next, when the client has taken what was read before.
func (s *sending) Read(p []byte) (int, error) {
	s.place.await()
	return s.ReadCloser.Read(p)
}

// Close closes the content and gives the place back.
func (s *sending) Close() error {
	defer s.leave()
	s.place.await() // the rest in the server's buffer
	return s.ReadCloser.Close()
}
