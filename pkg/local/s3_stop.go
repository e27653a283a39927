package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"syscall"
)

// Endpoint returns the address of S3, such as http://127.0.0.1:7820.
func (r *Region) Endpoint() string { return "http://" + r.address(r.config.Port) }

// IAMEndpoint returns the address of the AWS IAM API.
func (r *Region) IAMEndpoint() string { return "http://" + r.address(r.config.IAMPort) }

// Name returns the configured name.
func (r *Region) Name() string { return r.config.Name }

// PID returns the child's process id.
func (r *Region) PID() int { return r.process.PID }

// Done is closed when the child has ended, in order or not.
func (r *Region) Done() <-chan struct{} { return r.done }

// Stop lets the region finish its requests and ends it; when ctx is over first, it is killed. A second Stop does
// nothing.
func (r *Region) Stop(ctx context.Context) error {
	r.stop.Lock()
	defer r.stop.Unlock()
	defer r.release()
	if err := r.process.end(ctx, syscall.SIGTERM, regionPatience); err != nil {
		return fmt.Errorf("stop S3 region %s: %w", r.config.Name, errors.Join(err, r.process.signal(syscall.SIGKILL)))
	}
	<-r.done
	return nil
}

// Kill ends the child by SIGKILL.
func (r *Region) Kill() error {
	r.stop.Lock()
	defer r.stop.Unlock()
	defer r.release()
	if r.done == nil {
		return nil
	}
	if err := r.process.signal(syscall.SIGKILL); err != nil {
		return err
	}
	_ = r.leash.Close() // ends a child whose identity could not be read
	<-r.done
	return nil
}

func (r *Region) release() {
	if r.leash != nil {
		_ = r.leash.Close()
	}
	_ = Unlock(r.lock)
}

func (r *Region) address(port int) string { return net.JoinHostPort(r.config.Host, strconv.Itoa(port)) }

func (r *Region) file(name string) string { return filepath.Join(r.dir, name) }
