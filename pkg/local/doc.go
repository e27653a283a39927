// Package local runs the outside parts that Naksha Cloud needs on one machine: private Postgres servers from the
// installed binaries, an embedded NATS server with JetStream, and S3 regions with the AWS IAM API as child processes.
// `naksha up` and the tests stand on it; in production each part is swapped for the real cluster by configuration.
//
// It owns processes and their state folders. It refuses to know what is stored in them: no schema, no stream, no
// bucket is made here. It imports nothing else of Naksha.
//
// A state folder belongs to one process at a time (a lock file). A server that a killed run left behind is found
// through the folder and stopped before the next one starts; nothing that cannot be proved ours is ever signalled.
package local
