package local

import (
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
)

// natsLog passes the server's words on. It keeps a fatal error for StartNATS: the library must not end our process.
type natsLog struct {
	log  *slog.Logger
	last atomic.Pointer[string]
}

// fatal returns the error after which the server gave up, if there is one.
func (l *natsLog) fatal() error {
	if message := l.last.Load(); message != nil {
		return errors.New(*message)
	}
	return nil
}

// Noticef implements server.Logger.
func (l *natsLog) Noticef(format string, v ...any) {
	l.log.Debug("nats notice", "message", fmt.Sprintf(format, v...))
}

// Warnf implements server.Logger.
func (l *natsLog) Warnf(format string, v ...any) {
	l.log.Warn("nats warning", "message", fmt.Sprintf(format, v...))
}

// Fatalf implements server.Logger.
func (l *natsLog) Fatalf(format string, v ...any) {
	message := fmt.Sprintf(format, v...)
	l.last.Store(&message)
}

// Errorf implements server.Logger.
func (l *natsLog) Errorf(format string, v ...any) {
	l.log.Error("nats error", "message", fmt.Sprintf(format, v...))
}

// Debugf implements server.Logger.
func (l *natsLog) Debugf(string, ...any) {}

// Tracef implements server.Logger.
func (l *natsLog) Tracef(string, ...any) {}
