package wire

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/gateway/internal/api/call"
)

// prefixLength is the length of what stands before a message: a flag byte and its length, big endian.
const prefixLength = 5

func putLength(frame []byte, length int) {
	binary.BigEndian.PutUint32(frame[1:prefixLength], uint32(length))
}

// readFrame reads the one message of a unary call.
func readFrame(body io.Reader, encoding string, limit int) (call.Frame, error) {
	var prefix [prefixLength]byte
	if _, err := io.ReadFull(body, prefix[:]); err != nil {
		return nil, incomplete(err)
	}
	length := binary.BigEndian.Uint32(prefix[1:])
	if uint64(length) > uint64(limit) {
		return nil, TooLarge(limit)
	}
	// The length is only a claim: memory is taken as bytes arrive.
	var message bytes.Buffer
	message.Grow(min(int(length), 64<<10))
	if _, err := io.CopyN(&message, body, int64(length)); err != nil {
		return nil, incomplete(err)
	}
	switch prefix[0] {
	case 0:
		return message.Bytes(), nil
	case 1:
		return inflate(message.Bytes(), encoding, limit)
	}
	return nil, malformed("The message's compression flag is neither 0 nor 1.")
}

// inflate unpacks a message, which may be a bomb: at most limit bytes come out.
func inflate(packed []byte, encoding string, limit int) (call.Frame, error) {
	if encoding != "gzip" {
		return nil, fault.New(codes.Unimplemented, "ENCODING_UNSUPPORTED", "The message is compressed in a way that is not understood.").
			WithRemedy("Compress with gzip, or not at all.")
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, malformed("The message is not gzip, which its headers say it is.")
	}
	plain, err := io.ReadAll(io.LimitReader(z, int64(limit)+1))
	switch {
	case err != nil:
		return nil, malformed("The message's gzip data is damaged.")
	case len(plain) > limit:
		return nil, TooLarge(limit)
	}
	return plain, nil
}

// TooLarge says that a request is over the door's limit, in bytes.
func TooLarge(limit int) *fault.Fault {
	return fault.New(codes.ResourceExhausted, "REQUEST_TOO_LARGE", "The request is larger than %d bytes.", limit).
		WithRemedy("Send less in one request.")
}

func malformed(why string) *fault.Fault {
	return fault.Invalid("REQUEST_MALFORMED", "%s", why).WithRemedy("Use a gRPC client with the published protos.")
}

// incomplete says why a body could not be read to its end.
func incomplete(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fault.New(codes.DeadlineExceeded, "REQUEST_TOO_SLOW", "The request did not arrive in time.").
			WithRemedy("Send it again over a faster connection.").WithCause(err)
	}
	return malformed("The request ends before its message does.").WithCause(err)
}

// deadline applies a Grpc-Timeout header: 1 to 8 digits and a unit.
func deadline(ctx context.Context, value string) (context.Context, context.CancelFunc, error) {
	if value == "" {
		return ctx, func() {}, nil
	}
	unit, ok := units(value[len(value)-1])
	n, err := strconv.ParseUint(value[:len(value)-1], 10, 32)
	if !ok || err != nil || len(value) > 9 {
		return nil, nil, fault.Invalid("TIMEOUT_MALFORMED", "The header grpc-timeout is malformed.").
			WithRemedy("Send 1 to 8 digits and one of H, M, S, m, u, n.")
	}
	bounded := min(n, uint64(24*time.Hour/unit))
	ctx, cancel := context.WithTimeout(ctx, time.Duration(bounded)*unit)
	return ctx, cancel, nil
}

func units(letter byte) (time.Duration, bool) {
	switch letter {
	case 'H':
		return time.Hour, true
	case 'M':
		return time.Minute, true
	case 'S':
		return time.Second, true
	case 'm':
		return time.Millisecond, true
	case 'u':
		return time.Microsecond, true
	case 'n':
		return time.Nanosecond, true
	}
	return 0, false
}
