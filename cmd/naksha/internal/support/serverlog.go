package support

import (
	"bytes"
	"context"
	"regexp"
)

// serverLogs are the logs of the private Postgres servers in the state directory.
const serverLogs = "postgres/*/*.log*"

// entryHead is how pkg/local has Postgres begin an entry of its log: time, process, in sessions who@database, severity.
// Further lines of an entry begin with a tab.
var entryHead = regexp.MustCompile(`^(\d{4}-\d\d-\d\d \S+ UTC \[\d+\] )(\S+@\S+ )?([A-Z]+):  `)

// withoutValues keeps of a Postgres log what holds no value of a customer's row: what the server says of itself, and why
// it let somebody in no more. Of a session's other entries only that they were is left: an error may quote a value, and a
// session may write what it likes (RAISE LOG). Details, contexts and statements are left out.
func withoutValues(log []byte) []byte {
	var kept bytes.Buffer
	for line := range bytes.Lines(log) {
		head := entryHead.FindSubmatch(line)
		if head == nil {
			continue
		}
		switch severity, session := string(head[3]), len(head[2]) > 0; severity {
		case "FATAL", "PANIC":
			kept.Write(line)
		case "LOG":
			if !session {
				kept.Write(line)
				continue
			}
			fallthrough
		case "ERROR", "WARNING":
			kept.Write(head[0])
			kept.WriteString("left out\n")
		}
	}
	return kept.Bytes()
}

// serverLog reads the end of a Postgres log.
func (b Bundle) serverLog(name string) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		log, err := b.file(name)(ctx)
		return withoutValues(log), err
	}
}
