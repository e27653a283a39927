package local

import (
	"net"
	"reflect"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/versity/versitygw/s3api"
)

// idlePatience is how long a connection may wait for its next request; longer than the 90 s of Go's clients.
const idlePatience = 2 * time.Minute

// boundS3 is an option that bounds the connections of versitygw's S3 server, which waits for ever and cannot be told
// not to.
func boundS3(server *s3api.S3ApiServer) {
	s3api.WithOnListen(func() { boundConnections(server) })(server)
}

// boundConnections sets how long one of versitygw's servers waits on a connection, before it serves. It also keeps it
// from writing the files of forms to disk before it knows who sends them.
func boundConnections(server any) {
	field := reflect.ValueOf(server).Elem().FieldByName("app")
	if !field.IsValid() || field.Type() != reflect.TypeFor[*fiber.App]() {
		panic("versitygw keeps its fiber app elsewhere: look for it in this version")
	}
	s := (*fiber.App)(field.UnsafePointer()).Server()
	s.ReadTimeout, s.IdleTimeout, s.DisablePreParseMultipartForm = patience, idlePatience, true
	s.ConnState = awaitTaker
}

// awaitTaker gives the client of a connection time to take what is sent, from when a request begins: a "100 Continue",
// or an answer that no middleware of ours has seen. State is a type that only fasthttp names.
func awaitTaker[State any](conn net.Conn, _ State) {
	_ = conn.SetWriteDeadline(time.Now().Add(patience))
}
