package local

import (
	"errors"
	"io"
	"net"
	"os"

	"github.com/gofiber/fiber/v3"
	"github.com/versity/versitygw/s3api/utils"
	"github.com/versity/versitygw/s3err"
)

const (
	// mostDrained in bytes is what is read of a body that nobody wants, so that its connection can be used again.
	mostDrained = 256 << 10
	// signedTrailer as x-amz-content-sha256: signed chunks, then a checksum as a signed trailer.
	signedTrailer = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
)

// readBodies is a middleware in front of versitygw, which (v1.8.0) does these things to bodies that plain clients meet:
//   - It stops reading when the last aws-chunk is complete, and cleans up only behind bodies with a Content-Length. An
//     HTTP-chunked body (minio-go sends empty objects so) leaves its end on the connection, where the next request is
//     expected, and is answered by a second, stray response. Here the rest is read.
//   - It refuses a trailer in the form that AWS documents and minio-go sends: see awsTrailer.
//   - It stores what has arrived when a connection breaks in a body without a signed hash (presigned URLs, clients over
//     TLS). Here such a body is an error.
//   - It waits for a body for ever, and believes what the request says of its length: see pace and measure.
func readBodies(ctx fiber.Ctx) error {
	next := ctx.Next
	most, refusal := measure(ctx)
	if refusal != nil {
		next = func() error { return answer(ctx, refusal) }
	}
	stream := ctx.Request().BodyStream()
	if stream == nil {
		return next()
	}
	conn := ctx.RequestCtx().Conn()
	in := &requestBody{stream: stream, left: int64(ctx.Request().Header.ContentLength()), most: most, pace: newPace(conn)}
	var decoded io.Reader = in
	if ctx.Get(payloadHash) == signedTrailer {
		decoded = newAWSTrailer(in)
	}
	utils.ContextKeyBodyReader.Set(ctx, decoded)
	err := next()
	if in.chunked() && ctx.Request().BodyStream() != nil && !in.finish(conn) {
		ctx.Response().Header.SetConnectionClose()
	}
	return err
}

// requestBody is the body of one request.
type requestBody struct {
	stream io.Reader
	left   int64 // bytes; -1 for an HTTP-chunked body, which tells its end itself
	most   int64 // bytes that may still come
	pace   *pace
	err    error // after it the stream must not be read: an HTTP-chunked one would wait for the next request
}

// Read reads the body. A body that is shorter than its Content-Length is an error, as are a longer and a slower one than
// what is allowed.
func (b *requestBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.pace.read(b.stream, p)
	b.most -= int64(n)
	if !b.chunked() {
		b.left -= int64(n)
	}
	switch {
	case err == io.EOF && b.left > 0 || err == io.ErrUnexpectedEOF || b.most < 0:
		err = s3err.GetAPIError(s3err.ErrIncompleteBody)
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = tooSlow()
	}
	b.err = err
	return n, err
}

func (b *requestBody) chunked() bool { return b.left < 0 }

// finish reads what is left and reports whether the connection can serve another request.
func (b *requestBody) finish(conn net.Conn) bool {
	b.pace = &pace{conn: conn, left: drainPatience}
	b.most = mostDrained
	_, _ = io.Copy(io.Discard, b)
	return b.err == io.EOF
}
