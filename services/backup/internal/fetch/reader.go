package fetch

import (
	"context"
	"io"
	"sync"

	"github.com/naksha-cloud/naksha/services/backup/internal/manifest"
)

// ahead is how many plain pieces wait for a reader.
const ahead = 2

// Reader reads pieces one after the other, fetching the next while the last is used. Close ends it.
type Reader struct {
	pieces chan []byte
	cancel context.CancelFunc
	wait   sync.WaitGroup
	now    []byte

	mu  sync.Mutex
	err error
}

// Stream reads a stream of the snapshot.
func (s *Source) Stream(ctx context.Context, stream manifest.Stream) *Reader {
	return read(ctx, len(stream.Frames), func(ctx context.Context, i int) ([]byte, error) {
		return s.Frame(ctx, stream.Frames[i])
	})
}

// Object reads the bytes of an object.
func (s *Source) Object(ctx context.Context, o manifest.Object) *Reader {
	return read(ctx, len(o.Chunks), func(ctx context.Context, i int) ([]byte, error) { return s.Chunk(ctx, o.Chunks[i]) })
}

func read(ctx context.Context, count int, piece func(ctx context.Context, i int) ([]byte, error)) *Reader {
	r := &Reader{pieces: make(chan []byte, ahead)}
	ctx, r.cancel = context.WithCancel(ctx)
	r.wait.Go(func() {
		defer close(r.pieces)
		for i := range count {
			plain, err := piece(ctx, i)
			if err != nil {
				r.fail(err)
				return
			}
			select {
			case r.pieces <- plain:
			case <-ctx.Done():
				r.fail(context.Cause(ctx))
				return
			}
		}
	})
	return r
}

func (r *Reader) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

// Err is why reading ended early; nil at the end of the stream. COPY hides it behind an error of its own.
func (r *Reader) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// Read implements io.Reader.
func (r *Reader) Read(b []byte) (int, error) {
	for len(r.now) == 0 {
		plain, ok := <-r.pieces
		if !ok {
			if err := r.Err(); err != nil {
				return 0, err
			}
			return 0, io.EOF
		}
		r.now = plain
	}
	n := copy(b, r.now)
	r.now = r.now[n:]
	return n, nil
}

// Close stops fetching.
func (r *Reader) Close() error {
	r.cancel()
	for range r.pieces { // lets the fetcher end
	}
	r.wait.Wait()
	return nil
}
