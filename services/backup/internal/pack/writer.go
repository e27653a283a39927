package pack

import (
	"context"
	"fmt"
	"sync"

	"github.com/naksha-cloud/naksha/services/backup/internal/manifest"
)

// PackSize is when a pack is full, in stored bytes.
const PackSize = 4 << 20

// Sink takes finished packs. It may keep body.
type Sink func(ctx context.Context, number int, body []byte) error

// Packer collects frames of several streams into packs. It is safe for concurrent use: compression and encryption run in
// the callers, only the append is serial.
type Packer struct {
	codec *Codec
	m     *manifest.Manifest
	sink  Sink

	mu     sync.Mutex
	number int
	body   []byte
	packs  []manifest.Pack
}

// NewPacker packs for m, whose Snapshot and Attempt are set.
func NewPacker(codec *Codec, m *manifest.Manifest, sink Sink) *Packer {
	return &Packer{codec: codec, m: m, sink: sink}
}

// Stream returns a writer whose bytes become the frames of one stream.
func (p *Packer) Stream(ctx context.Context) *Stream { return &Stream{ctx: ctx, packer: p} }

// Close sends the last pack and returns all of them.
func (p *Packer) Close(ctx context.Context) ([]manifest.Pack, error) {
	p.mu.Lock()
	number, body := p.cut()
	packs := p.packs
	p.mu.Unlock()
	if len(body) == 0 {
		return packs, nil
	}
	return packs, p.sink(ctx, number, body)
}

// add seals plain at the end of the current pack. The place of a frame is part of its seal, and the seal's length is not
// known before compression: so compression runs outside of the lock and the seal inside of it.
func (p *Packer) add(ctx context.Context, plain []byte) (manifest.Frame, error) {
	frame := manifest.Frame{Bytes: int64(len(plain)), SHA256: Sum(plain)}
	zipped := p.codec.zip.EncodeAll(plain, make([]byte, 0, len(plain)/3))
	p.mu.Lock()
	if p.body == nil {
		p.body = make([]byte, 0, PackSize+FrameSize)
	}
	frame.Pack, frame.Offset = p.number, int64(len(p.body))
	p.body = p.codec.sealZipped(p.body, FramePlace(p.m, frame), zipped)
	frame.Length = int64(len(p.body)) - frame.Offset
	var number int
	var full []byte
	if len(p.body) >= PackSize {
		number, full = p.cut()
	}
	p.mu.Unlock()
	if full == nil {
		return frame, nil
	}
	if err := p.sink(ctx, number, full); err != nil {
		return frame, fmt.Errorf("store pack %d: %w", number, err)
	}
	return frame, nil
}

// cut ends the current pack. The caller holds mu.
func (p *Packer) cut() (number int, body []byte) {
	number, body = p.number, p.body
	if len(body) > 0 {
		p.packs = append(p.packs, manifest.Pack{Number: number, Length: int64(len(body)), SHA256: Sum(body)})
	}
	p.number, p.body = p.number+1, nil
	return number, body
}

// Stream is an io.Writer of one stream. It is not safe for concurrent use.
type Stream struct {
	ctx    context.Context //nolint:containedctx // an io.Writer takes none; it lives as long as one copy
	packer *Packer
	buffer []byte
	out    manifest.Stream
	wrote  func(int)
}

// OnWrite makes f hear of every written byte count, for progress.
func (s *Stream) OnWrite(f func(n int)) { s.wrote = f }

// Write takes bytes; a frame is cut whenever 1 MiB is there.
func (s *Stream) Write(b []byte) (int, error) {
	total := len(b)
	if s.buffer == nil {
		s.buffer = make([]byte, 0, FrameSize)
	}
	for len(b) > 0 {
		n := min(len(b), FrameSize-len(s.buffer))
		s.buffer = append(s.buffer, b[:n]...)
		b = b[n:]
		if len(s.buffer) == FrameSize {
			if err := s.flush(); err != nil {
				return total - len(b), err
			}
		}
	}
	if s.wrote != nil {
		s.wrote(total)
	}
	return total, nil
}

// Close cuts the last frame and returns the stream's frames.
func (s *Stream) Close() (manifest.Stream, error) {
	if len(s.buffer) > 0 {
		if err := s.flush(); err != nil {
			return manifest.Stream{}, err
		}
	}
	return s.out, nil
}

func (s *Stream) flush() error {
	frame, err := s.packer.add(s.ctx, s.buffer)
	if err != nil {
		return err
	}
	s.out.Frames = append(s.out.Frames, frame)
	s.out.Bytes += frame.Bytes
	s.buffer = s.buffer[:0]
	return nil
}
