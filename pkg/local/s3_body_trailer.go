package local

import (
	"bufio"
	"bytes"
	"io"
)

const (
	// trailerBuffer in bytes per running upload.
	trailerBuffer = 32 << 10
	// trailerEnd ends a body with a signed trailer, followed by 64 hexadecimal digits and two line ends.
	trailerEnd = "x-amz-trailer-signature:"
	// trailerTail is the length in bytes of that end and of the three bytes in question before it.
	trailerTail = len("\n\r\n"+trailerEnd) + 64 + len("\r\n\r\n")
)

// awsTrailer reads an aws-chunked body with a signed trailer, and ends the trailer's line with CR LF. AWS documents
// (Amazon S3 API Reference, "Signature calculations: trailing headers") and minio-go sends
//
//	x-amz-checksum-crc32c:sOO8/Q==\n\r\n
//	x-amz-trailer-signature:…\r\n\r\n
//
// of which versitygw v1.8.0 takes the first line feed for a part of the checksum, which then differs from the content's.
// The line feed is not signed, and nothing else is touched.
type awsTrailer struct {
	in   *bufio.Reader
	tail bool // only the tail is left
}

func newAWSTrailer(in io.Reader) *awsTrailer {
	return &awsTrailer{in: bufio.NewReaderSize(in, trailerBuffer)}
}

// Read returns what is certainly before the tail, and at the end the tail.
func (t *awsTrailer) Read(p []byte) (int, error) {
	if !t.tail {
		ahead, err := t.in.Peek(trailerTail + 1)
		if err == nil {
			return t.in.Read(p[:min(len(p), t.in.Buffered()-trailerTail)])
		}
		if err != io.EOF {
			return 0, err
		}
		t.tail = true
		if len(ahead) == trailerTail && bytes.HasPrefix(ahead, []byte("\n\r\n"+trailerEnd)) {
			_, _ = t.in.Discard(1)
		}
	}
	n, err := t.in.Read(p)
	if err == nil && t.in.Buffered() == 0 {
		err = io.EOF // with the last bytes, so that their reader knows that nothing is missing
	}
	return n, err
}
